"""Cost of the plain stack: MediaPipe Tasks on every frame, YOLO11n once a second, Silero VAD on the sound.

Runs in an environment of its own (``uv run --isolated --only-group peer python -m benchmarks.peer``), started by
``benchmarks.load --peer``: reads a job as JSON from standard input, prints CPU milliseconds per second of a
session as JSON. As its authors' examples do it: JPEG decoded by OpenCV, FaceLandmarker in video mode with
blendshapes, YOLO's letterbox and suppression by OpenCV. It runs without sockets, sessions, rules and
records: a lower bound. Pictures come at the pace of a camera (``"paced": false``: without pauses), as they do
in the server that it is compared with.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np
import onnxruntime
import openvino
from mediapipe.tasks.python import BaseOptions, vision
from numpy.typing import NDArray

RATE = 10
"""Frames per second."""
SECONDS = 20
"""Of each recording and track."""
SIDE = 640
"""YOLO's input."""
SCORE, OVERLAP = 0.25, 0.7
"""Ultralytics' defaults."""
VOICE_FRAME, VOICE_CONTEXT, VOICE_MEMORY = 512, 64, 128
"""Samples at 16 kHz that Silero VAD takes at once, and remembers; size of its state."""

Pixels = NDArray[np.uint8]


class Spent:
    """CPU seconds of the whole process, by part."""

    def __init__(self) -> None:
        self.by_part: Counter[str] = Counter()

    @contextmanager
    def on(self, part: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.by_part[part] += time.process_time() - began  # type: ignore[assignment]  # a Counter of float


def landmarker(path: str, faces: int) -> Any:
    """MediaPipe's FaceLandmarker in video mode, with blendshapes."""
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=path),
        running_mode=vision.RunningMode.VIDEO,
        num_faces=faces,
        output_face_blendshapes=True,
    )
    return vision.FaceLandmarker.create_from_options(options)


def detector(folder: str) -> Any:
    """YOLO11n (OpenVINO), on one thread: more cost more CPU time, by waiting for each other."""
    core = openvino.Core()
    (model,) = Path(folder).glob("*.xml")
    return core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})


def detect(network: Any, picture: Pixels) -> int:
    """Detect as Ultralytics does. Returns how many objects."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    canvas = np.full((SIDE, SIDE, 3), 114, np.uint8)
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size)
    found = network(cv2.dnn.blobFromImage(canvas, 1 / 255))[0][0]
    scores = found[4:].max(axis=0)
    kept = scores > SCORE
    boxes = found[:4, kept].T
    boxes[:, :2] -= boxes[:, 2:] / 2
    classes = found[4:, kept].argmax(axis=0)
    chosen = cv2.dnn.NMSBoxesBatched(boxes, scores[kept], classes, SCORE, OVERLAP)
    return len(chosen)


def decode(jpeg: bytes) -> Pixels:
    """To RGB."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def watch(frames: list[bytes], faces: Any, objects: Any, spent: Spent, paced: bool) -> int:
    """One recording. Returns the number of frames with a face."""
    seen, begun = 0, time.perf_counter()
    for number, jpeg in enumerate(frames):
        if paced:
            time.sleep(max(0.0, begun + number / RATE - time.perf_counter()))
        with spent.on("decode"):
            picture = decode(jpeg)
        with spent.on("landmarks"):
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
            seen += bool(faces.detect_for_video(image, number * 1000 // RATE).face_landmarks)
        if number % RATE == 0:
            with spent.on("objects"):
                detect(objects, picture)
    return seen


def listen(samples: NDArray[np.int16], network: onnxruntime.InferenceSession) -> float:
    """Silero VAD, frame by frame as sound arrives. Returns the share of frames with speech."""
    hidden = cell = np.zeros((1, 1, VOICE_MEMORY), np.float32)
    sound = np.concatenate(
        [np.zeros(VOICE_CONTEXT, np.float32), samples.astype(np.float32) / 32768]
    )
    spoken, starts = 0, range(0, len(samples) - VOICE_FRAME + 1, VOICE_FRAME)
    for start in starts:
        window = sound[None, start : start + VOICE_CONTEXT + VOICE_FRAME]
        probability, hidden, cell = network.run(None, {"input": window, "h": hidden, "c": cell})
        spoken += bool(probability.item() > 0.5)
    return spoken / len(starts)


def main() -> None:
    """Measure what standard input names."""
    job = json.load(sys.stdin)
    objects = detector(job["yolo"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    voice = onnxruntime.InferenceSession(job["voice"], options, ["CPUExecutionProvider"])
    costs: Counter[str] = Counter()
    for stream, times in Counter(job["streams"]).items():
        paths = sorted(Path(stream).glob("*.jpg"))[: SECONDS * RATE]
        frames = [path.read_bytes() for path in paths]
        with landmarker(job["landmarker"], job["faces"]) as warm:
            watch(frames[:RATE], warm, objects, Spent(), paced=False)
        with landmarker(job["landmarker"], job["faces"]) as faces:
            spent = Spent()
            seen = watch(frames, faces, objects, spent, job["paced"])
        print(f"{stream}: a face in {seen} of {len(frames)} frames", file=sys.stderr)
        share = times / len(job["streams"]) / (len(frames) / RATE)
        for part, seconds in spent.by_part.items():
            costs[part] += seconds * 1000 * share  # type: ignore[assignment]
    spent = Spent()
    for track in job["tracks"]:
        samples = np.load(track)[: SECONDS * 16_000]
        listen(samples[:16_000], voice)
        with spent.on("voice"):
            share = listen(samples, voice)
        print(f"{track}: speech in {share:.0%} of the frames", file=sys.stderr)
    heard = max(len(job["tracks"]), 1) * SECONDS
    costs["voice"] = spent.by_part["voice"] * 1000 / heard  # type: ignore[assignment]
    parts = ("decode", "landmarks", "objects", "voice")
    print(json.dumps({part: float(costs[part]) for part in parts}))


if __name__ == "__main__":
    main()
