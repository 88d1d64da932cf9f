"""Objects detected where the scene changed, against every time: ``python -m evaluation.object_gate DATA``.

Plays recordings, ten JPEGs a second, to the stage that detects objects, once with its gate and once without,
with the boxes of the face detector for tracked faces. Prints the views that the object detector analysed for
each detection that was due, and every difference: two of the last three results holding a phone, more than
one person or nobody at another time. Exit status 1 if there is any.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from proctoring.models.network import Network
from proctoring.models.runtime import load_network
from proctoring.models.store import ModelStore
from proctoring.observations import ObjectDetections
from proctoring.settings import Settings
from proctoring.vision.decode import read_jpeg
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.face_detection import detect_faces
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.objects import ObjectDetector, load_object_detector
from proctoring.vision.proposals import Proposals
from proctoring.vision.stages.context import Context, Latest
from proctoring.vision.stages.objects import ObjectStage
from proctoring.vision.steps import Steps, run_to_completion
from proctoring.vision.video_file import read_frames

RATE, WIDTH = 10.0, 640
_VIDEOS = {".mp4", ".mkv", ".mpg", ".mov", ".webm"}
_STARTS = (0.0, 0.5)
"""Seconds after which the session begins: other frames are detected in."""


class CountedDetector:
    """A detector that remembers its results by frame, and counts the views it was asked for."""

    def __init__(self, detector: ObjectDetector) -> None:
        self._propose = detector.propose
        self._detector = replace(detector, propose=self._counting)
        self._known: dict[tuple[int, bool], tuple[ObjectDetections, int]] = {}
        self._made = 0
        self.views = 0

    def _counting(self, pixels: Pixels) -> Steps[Proposals]:
        self._made += 1
        return self._propose(pixels)

    def __call__(self, pixels: Pixels, /, *, close: bool = True) -> Steps[ObjectDetections]:
        """The detector's result."""
        key = hash(pixels[::16, ::16].tobytes()), close
        if key not in self._known:
            before = self._made
            found = yield from self._detector.detect_in_steps(pixels, close=close)
            self._known[key] = found, self._made - before
        found, views = self._known[key]
        self.views += views
        return found


def jpegs(path: Path) -> Iterator[tuple[float, bytes]]:
    """Ten JPEGs a second of a recording."""
    due = 0.0
    for frame in read_frames(path):
        if frame.time < due - 1e-6:
            continue
        due = max(due + 1 / RATE, frame.time)
        size = (WIDTH, round(frame.height * WIDTH / frame.width))
        pixels = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
        yield frame.time, simplejpeg.encode_jpeg(np.asarray(pixels, np.uint8), quality=80)


def play(
    recorded: list[tuple[float, bytes]], detect: CountedDetector, faces: Network, *, gated: bool
) -> list[ObjectDetections]:
    """All results of a session, also those carried over."""
    stage = ObjectStage(detect, DepictedFaceDetector(), LivenessTracker(None), gated=gated)
    latest, found = Latest(), []
    for time, data in recorded:
        frame = Frame(time, read_jpeg(data))
        if not stage.is_due(time):
            continue
        context = Context(frame, 1.0, latest)
        boxes = [face.box for face in detect_faces(faces, frame.pixels)]
        if boxes:
            box = max(boxes, key=lambda one: one.width)
            mesh = np.array([[box.left, box.top, 0], [box.right, box.bottom, 0]], np.float32)
            context.candidate = TrackedFace(1, mesh, 1.0, box)
        deferred = stage.request(context)
        if deferred is not None:
            result = run_to_completion(deferred.steps())
            context.add(stage.apply(result, latest, 1.0))
        found.append(context.found["objects"])
    return found


def told(results: list[ObjectDetections]) -> dict[str, list[int]]:
    """Numbers of the results from which two of the last three said so."""
    said = {
        "a phone": [bool(one.phones) for one in results],
        "several persons": [len(one.persons) > 1 for one in results],
        "nobody": [not one.persons for one in results],
    }
    return {
        what: [n for n in range(len(results)) if sum(holds[max(0, n - 2) : n + 1]) >= 2]
        for what, holds in said.items()
    }


def main() -> int:
    """Print a line for each recording, and the mean."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="webcam", help="part of the recordings' paths")
    chosen = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    faces = load_network(
        store.fetch("face_detection_full_range"), outputs=("Identity", "Identity_1")
    )
    detector = load_object_detector(store, "ssd_mobilenet_v2")
    views, due, differences = 0, 0, 0
    for path in sorted(chosen.data.rglob(f"*{chosen.only}*/*")):
        if path.suffix not in _VIDEOS:
            continue
        recorded, detect = list(jpegs(path)), CountedDetector(detector)
        analysed, results = 0, 0
        for start in _STARTS:
            part = [(time, data) for time, data in recorded if time >= start]
            always = play(part, detect, faces, gated=False)
            detect.views = 0
            gated = play(part, detect, faces, gated=True)
            analysed, results = analysed + detect.views, results + len(gated)
            if told(gated) != told(always):
                differences += 1
                print(f"!! {path.name} from {start} s: {told(always)}, gated {told(gated)}")
        views, due = views + analysed, due + results
        print(f"{path.name}: {analysed / max(1, results):.2f} views a detection", flush=True)
    print(f"all: {views / max(1, due):.2f} of 2 views a detection, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
