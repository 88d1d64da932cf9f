"""Cost of each analyser: CPU milliseconds per call, one thread, on a real face at 640 x 480.

Run: ``uv run python -m benchmarks.analysers [--calls 30] [NAME ...]``

CPU time of the whole process, which includes the runtime's own threads and excludes the load of other
programs. One row is one entry of ``ROWS``. At the end: the cost of one second of a session in which nothing
changes, as the sum of its calls at their rates. What a session costs as a whole: ``benchmarks.gated``.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import skimage.data

from proctoring.errors import ModelUnavailableError
from proctoring.models.imported import import_detector
from proctoring.models.runtime import available_cores, load_network, supports_bf16
from proctoring.models.store import ModelStore
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.settings import Settings
from proctoring.vision.analyser import FACE_RATE
from proctoring.vision.blendshapes import estimate_blendshapes
from proctoring.vision.camera import measure_detail, measure_light
from proctoring.vision.camera_movement import CameraMovementDetector
from proctoring.vision.cascade import DetectorCascade
from proctoring.vision.decode import Jpeg, decode_jpeg, read_jpeg
from proctoring.vision.face_detection import detect_faces
from proctoring.vision.face_gate import REST_SECONDS
from proctoring.vision.face_swap import face_difference
from proctoring.vision.frame import Frame, Pixels, luma_of
from proctoring.vision.head_pose import estimate_head_pose, load_canonical_face
from proctoring.vision.identity.embedding import load_face_embedder
from proctoring.vision.identity.quality import rejection_reason
from proctoring.vision.identity.verifier import VERIFICATION_PERIOD
from proctoring.vision.injection import InjectionDetector
from proctoring.vision.landmarks import estimate_landmarks, hull, region_of_detection
from proctoring.vision.liveness.scoring import load_liveness_scorer
from proctoring.vision.near_repetition import SAMPLE_PERIOD
from proctoring.vision.object_gate import MAX_AGE, MAX_CLOSE_AGE
from proctoring.vision.objects import load_object_detector
from proctoring.vision.repetition import MEMORY, RepetitionDetector
from proctoring.vision.scene_change import scene_of
from proctoring.vision.stages.liveness import UNCHANGED_PERIOD
from proctoring.vision.steps import run_to_completion

Call = Callable[[], object]
SENSOR_NOISE = 2.0
"""Standard deviation of a pixel from frame to frame, in grey levels, of a webcam in a lit room."""


AT_REST = 1 / REST_SECONDS
"""Measurements a second of a face that rests."""


def picture() -> Pixels:
    """(480, 640, 3): the astronaut, her face about 90 pixels wide."""
    matrix = np.array([[1, 0, 64], [0, 1, 0]], np.float32)
    photograph = np.asarray(getattr(skimage.data, "astronaut")(), np.uint8)  # noqa: B009
    return np.asarray(cv2.warpAffine(photograph, matrix, (640, 480)), np.uint8)


def decoding(_: ModelStore) -> Call:
    jpeg = simplejpeg.encode_jpeg(picture(), quality=85)
    return lambda: decode_jpeg(jpeg)


def small_copy(_: ModelStore) -> Call:
    jpeg = simplejpeg.encode_jpeg(picture(), quality=85)
    return lambda: read_jpeg(jpeg).luma


def face_detection(store: ModelStore) -> Call:
    network = load_network(
        store.fetch("face_detection_full_range"), outputs=("Identity", "Identity_1")
    )
    pixels = picture()
    return lambda: detect_faces(network, pixels)


def _landmarks(store: ModelStore) -> Callable[[], tuple[np.ndarray, float]]:
    detector = load_network(
        store.fetch("face_detection_full_range"), outputs=("Identity", "Identity_1")
    )
    network = load_network(
        store.fetch("face_landmarker"),
        member="face_landmarks_detector.tflite",
        outputs=("Identity", "Identity_1"),
    )
    pixels = picture()
    region = region_of_detection(detect_faces(detector, pixels)[0])
    return lambda: estimate_landmarks(network, pixels, region)


def landmarks(store: ModelStore) -> Call:
    return _landmarks(store)


def blendshapes(store: ModelStore) -> Call:
    network = load_network(store.fetch("face_landmarker"), member="face_blendshapes.tflite")
    mesh, _ = _landmarks(store)()
    return lambda: estimate_blendshapes(network, mesh)


def objects(name: str, *, views: int | None = None) -> Callable[[ModelStore], Call]:
    def prepare(store: ModelStore) -> Call:
        detector = load_object_detector(store, name)
        pixels = picture()
        detector = replace(detector, views=detector.views[:views])
        return lambda: detector.detect(pixels)

    return prepare


def yolo11(store: ModelStore) -> Call:
    if store.mirror is None:
        raise ModelUnavailableError("yolo11n is not shipped, and no mirror is set")
    source = store.mirror / "yolo11n_int8_openvino_model"
    with tempfile.TemporaryDirectory(prefix="proctoring-benchmark-") as folder:
        import_detector(Path(folder), source, "yolo11n")
        return objects("yolo11n")(ModelStore(Path(folder)))


def liveness(store: ModelStore) -> Call:
    scorer, capability = load_liveness_scorer(store)
    if scorer is None:
        raise ModelUnavailableError(capability.reason)
    pixels = picture()
    mesh, _ = _landmarks(store)()
    return lambda: scorer.score(pixels, hull(mesh))


def noisy_jpegs(count: int) -> list[bytes]:
    """The picture with a camera's noise, never the same twice: pictures that return would be a loop."""
    generator, pixels = np.random.default_rng(0), picture()
    noise = generator.normal(0, SENSOR_NOISE, pixels.shape).astype(np.float32)
    jpegs = []
    for _ in range(count):
        shift = tuple(int(by) for by in generator.integers(0, 480, 2))
        noisy = np.clip(pixels + np.roll(noise, shift, (0, 1)), 0, 255).astype(np.uint8)
        jpegs.append(simplejpeg.encode_jpeg(noisy, quality=85))
    return jpegs


def _opened(pixels: Pixels) -> Jpeg:
    """A picture whose decoding has been paid for."""
    jpeg = read_jpeg(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=85))
    jpeg.decode()
    assert jpeg.luma.size
    assert jpeg.digest
    return jpeg


def stream(store: ModelStore) -> Call:  # noqa: ARG001  every row is prepared alike
    """A person who moves before a camera with noise: no picture is like an earlier one."""
    generator, pixels = np.random.default_rng(0), picture()
    noise = generator.normal(0, SENSOR_NOISE, pixels.shape).astype(np.float32)

    def moved() -> Jpeg:
        there, grain = generator.integers(-9, 9, 2), generator.integers(0, 480, 2)
        noisy = np.roll(pixels, tuple(there), (0, 1)) + np.roll(noise, tuple(grain), (0, 1))
        return _opened(np.clip(noisy, 0, 255).astype(np.uint8))

    watch, count = InjectionDetector(), 0
    for _ in range(600):  # fill its history
        count += 1
        watch.update(Frame(count * SAMPLE_PERIOD, moved()))
    later = [moved() for _ in range(100)]

    def call() -> None:
        nonlocal count
        count += 1
        watch.update(Frame(count * SAMPLE_PERIOD, later[count % 100]))

    return call


def swap(store: ModelStore) -> Call:  # noqa: ARG001
    """Two frames of a face at rest."""
    one, other = (read_jpeg(jpeg).luma for jpeg in noisy_jpegs(2))
    return lambda: face_difference(one, other, Box(245, 90, 335, 200), 0.25)


def copy_of_pixels(store: ModelStore) -> Call:  # noqa: ARG001
    pixels = picture()
    return lambda: luma_of(pixels)


def repetition(store: ModelStore) -> Call:  # noqa: ARG001
    jpeg, count = _opened(picture()), 0
    detector = RepetitionDetector()

    def call() -> None:
        nonlocal count
        coded = jpeg.structure.without_metadata + count.to_bytes(3)  # a picture like no other
        other = replace(jpeg, structure=replace(jpeg.structure, without_metadata=coded))
        detector.update(Frame(count / FACE_RATE, other))
        count += 1

    for _ in range(MEMORY):  # fill its history
        call()
    return call


def light(store: ModelStore) -> Call:  # noqa: ARG001
    luma = luma_of(picture())
    return lambda: measure_light(luma)


def detail(store: ModelStore) -> Call:  # noqa: ARG001
    pixels = picture()
    return lambda: measure_detail(pixels)


def pose(store: ModelStore) -> Call:
    canonical = load_canonical_face(store.fetch("face_landmarker"))
    mesh, _ = _landmarks(store)()
    return lambda: estimate_head_pose(canonical, mesh, 640, 480)


def scene(store: ModelStore) -> Call:  # noqa: ARG001
    watch, frame = CameraMovementDetector(), Frame(0.0, _opened(picture()))
    return lambda: watch.update(frame, [Box(245, 90, 335, 200)])


def scene_change(store: ModelStore) -> Call:  # noqa: ARG001
    """The comparison of two pictures that differ by noise alone: the usual case."""
    face = Box(245, 90, 335, 200)
    one, other = (Frame(0.0, read_jpeg(jpeg)) for jpeg in noisy_jpegs(2))
    before = scene_of(one, [face])
    assert other.luma.size
    return lambda: before.changed(scene_of(other, [face])).any()


def identity(store: ModelStore) -> Call:
    embedder, capability = load_face_embedder(store)
    if embedder is None:
        raise ModelUnavailableError(capability.reason)
    pixels = picture()
    mesh, _ = _landmarks(store)()
    return lambda: (rejection_reason(pixels, mesh), embedder.embed(pixels, mesh))


def cascade(store: ModelStore) -> Call:
    """The cost of the second network where the first suspects one place."""
    first = load_object_detector(store, "ssd_mobilenet_v2")
    pair = DetectorCascade(first, load_object_detector(store, "picodet_s"))
    phone = Detection("cell phone", 0.5, Box(200, 300, 260, 400))
    suspected, pixels = ObjectDetections((phone,), (), first.name), picture()
    return lambda: run_to_completion(pair.confirm(pixels, suspected))


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    prepare: Callable[[ModelStore], Call]
    rate: float | None = None
    """Calls per second in a session of the default settings in which nothing is suspected and nothing
    changes; ``None``: not used by default, or only where something changes."""


ROWS: dict[str, Row] = {
    "decode JPEG 640 x 480": Row(decoding, AT_REST),
    "small grey copy of the JPEG": Row(small_copy, FACE_RATE - AT_REST),
    "small grey copy of the pixels": Row(copy_of_pixels, AT_REST),
    "camera: brightness, structure": Row(light, FACE_RATE),
    "camera: detail": Row(detail, AT_REST),
    "scene: what changed beside the face": Row(scene_change, 1 + 1 / 3),
    "face detection (full range)": Row(face_detection, 1 / 3),
    "whether the face is another picture": Row(swap, FACE_RATE),
    "landmarks, one face": Row(landmarks, AT_REST),
    "head pose": Row(pose, AT_REST),
    "blendshapes": Row(blendshapes),
    "background": Row(scene, 1),
    "liveness: two networks": Row(liveness, 1 / UNCHANGED_PERIOD),
    "stills and loops": Row(stream, 1 / SAMPLE_PERIOD),
    "exact repetition of frames": Row(repetition, FACE_RATE),
    "identity: one embedding": Row(identity, 1 / VERIFICATION_PERIOD),
    "objects: ssd_mobilenet_v2 (two views)": Row(objects("ssd_mobilenet_v2"), 1 / MAX_CLOSE_AGE),
    "objects: ssd_mobilenet_v2 (first view alone)": Row(
        objects("ssd_mobilenet_v2", views=1), 1 / MAX_AGE - 1 / MAX_CLOSE_AGE
    ),
    "objects: picodet_s, one verification of a crop": Row(cascade),
    "objects: yolox_nano": Row(objects("yolox_nano")),
    "objects: picodet_s": Row(objects("picodet_s")),
    "objects: yolo11n INT8 (imported)": Row(yolo11),
}
"""Rows of the table by name."""
REFERENCE = (
    (
        "the same parts before this project, a CPU with AVX-512 and bf16, a plain loop",
        "79, and 12 for identity",
    ),
    ("a published service with the same contract, there", "144"),
)
"""Measured before this project on a CPU with AVX-512 and bf16: two SSD views a second, identity at 0.2 Hz."""


def milliseconds(call: Call, calls: int) -> tuple[float, float]:
    """Median and mean CPU milliseconds of one call, after three to warm up."""
    for _ in range(3):
        call()
    taken = []
    for _ in range(calls):
        began = time.process_time()
        call()
        taken.append((time.process_time() - began) * 1e3)
    return statistics.median(taken), statistics.fmean(taken)


def main() -> None:
    """Print the cost table of ``docs/benchmarks.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", help="only rows whose name contains one of these")
    parser.add_argument("--calls", type=int, default=30)
    chosen = parser.parse_args()
    settings = Settings()
    mirror = Path(__file__).parents[2] / "shared" / "models"
    store = ModelStore(
        settings.models_folder, settings.models_mirror or (mirror if mirror.is_dir() else None)
    )
    cv2.setNumThreads(1)
    print(
        f"{platform.processor() or platform.machine()}, {available_cores()} cores, "
        f"bf16: {'yes' if supports_bf16() else 'no'}\n"
    )
    print("| analyser | CPU ms, median | mean | a second | ms a second |")
    print("| --- | --- | --- | --- | --- |")
    total = 0.0
    for name, row in ROWS.items():
        if chosen.names and not any(word in name for word in chosen.names):
            continue
        try:
            median, mean = milliseconds(row.prepare(store), chosen.calls)
        except ModelUnavailableError as error:
            print(f"| {name} | not here: {error.detail} | | | |")
            continue
        share = (row.rate or 0) * mean
        total += share
        of_a_second = f"{row.rate:g} | {share:.1f}" if row.rate else "not at rest | "
        print(f"| {name} | {median:.2f} | {mean:.2f} | {of_a_second} |", flush=True)
    if chosen.names:
        return
    print(f"| a second of one session at rest: the sum | | | | {total:.1f} |")
    for name, figure in REFERENCE:
        print(f"| {name} | | | | {figure} |")


if __name__ == "__main__":
    main()
