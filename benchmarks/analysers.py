"""What each analyser costs: CPU milliseconds per call, one thread, on a real face at 640 x 480.

Run: ``uv run python -m benchmarks.analysers [--calls 30] [NAME ...]``

CPU time of the whole process, so that work on the runtime's own threads counts and other
programs' load does not. One row is one entry of ``ROWS``.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import skimage.data

from proctoring.errors import ModelUnavailableError
from proctoring.models.imported import import_detector
from proctoring.models.runtime import available_cores, load_network, supports_bf16
from proctoring.models.store import ModelStore
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser, load_vision_models
from proctoring.vision.blendshapes import read_blendshapes
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.face_detection import find_faces
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.injection import StreamWatch
from proctoring.vision.landmarks import hull, read_landmarks, region_of_find
from proctoring.vision.liveness.judges import load_liveness_judge
from proctoring.vision.objects import load_object_detector

Call = Callable[[], object]


def picture() -> Pixels:
    """(480, 640, 3): the astronaut, her face about 90 pixels wide."""
    matrix = np.array([[1, 0, 64], [0, 1, 0]], np.float32)
    photograph = np.asarray(getattr(skimage.data, "astronaut")(), np.uint8)  # noqa: B009
    return np.asarray(cv2.warpAffine(photograph, matrix, (640, 480)), np.uint8)


def decoding(_: ModelStore) -> Call:
    jpeg = simplejpeg.encode_jpeg(picture(), quality=85)
    return lambda: decode_jpeg(jpeg)


def face_detection(store: ModelStore) -> Call:
    network = load_network(
        store.fetch("face_detection_full_range"), outputs=("Identity", "Identity_1")
    )
    pixels = picture()
    return lambda: find_faces(network, pixels)


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
    region = region_of_find(find_faces(detector, pixels)[0])
    return lambda: read_landmarks(network, pixels, region)


def landmarks(store: ModelStore) -> Call:
    return _landmarks(store)


def blendshapes(store: ModelStore) -> Call:
    network = load_network(store.fetch("face_landmarker"), member="face_blendshapes.tflite")
    mesh, _ = _landmarks(store)()
    return lambda: read_blendshapes(network, mesh)


def objects(name: str) -> Callable[[ModelStore], Call]:
    def prepare(store: ModelStore) -> Call:
        detector = load_object_detector(store, name)
        pixels = picture()
        return lambda: detector.look(pixels)

    return prepare


def yolo11(store: ModelStore) -> Call:
    if store.mirror is None:
        raise ModelUnavailableError("yolo11n is the user's to bring: no mirror is set")
    source = store.mirror / "yolo11n_int8_openvino_model"
    with tempfile.TemporaryDirectory(prefix="proctoring-benchmark-") as folder:
        import_detector(Path(folder), source, "yolo11n")
        return objects("yolo11n")(ModelStore(Path(folder)))


def liveness(store: ModelStore) -> Call:
    judge, capability = load_liveness_judge(store)
    if judge is None:
        raise ModelUnavailableError(capability.reason)
    pixels = picture()
    mesh, _ = _landmarks(store)()
    return lambda: judge.live(pixels, hull(mesh))


def stream(store: ModelStore) -> Call:  # noqa: ARG001  every row is prepared alike
    generator = np.random.default_rng(0)
    pixels = picture()
    moving = [np.roll(pixels, tuple(generator.integers(-9, 9, 2)), (0, 1)) for _ in range(40)]
    watch, count = StreamWatch(), 0
    for _n in range(600):  # a full memory
        count += 1
        watch.look(count / 5, moving[count % 40])

    def call() -> None:
        nonlocal count
        count += 1
        watch.look(count / 5, moving[count % 40])

    return call


def whole_frame(store: ModelStore) -> Call:
    """All of a session's vision for one frame of ten a second, objects once a second."""
    models = load_vision_models(store, object_model="ssd_mobilenet_v2")
    analyser = VisionAnalyser(models)
    pixels = picture()
    count = 0

    def call() -> None:
        nonlocal count
        count += 1
        analyser.analyse(Frame(count / 10, pixels))

    return call


ROWS: dict[str, Callable[[ModelStore], Call]] = {
    "decode JPEG 640 x 480": decoding,
    "face detection (full range)": face_detection,
    "landmarks, one face": landmarks,
    "blendshapes": blendshapes,
    "liveness: two networks (once a second)": liveness,
    "stills and loops (5 a second)": stream,
    "objects: ssd_mobilenet_v2 (two views)": objects("ssd_mobilenet_v2"),
    "objects: yolox_nano": objects("yolox_nano"),
    "objects: picodet_s": objects("picodet_s"),
    "objects: yolo11n INT8 (imported)": yolo11,
    "one frame of ten a second, everything (mean)": whole_frame,
}
"""Name of the row to what prepares the call."""


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
    print("| analyser | CPU ms, median | mean |\n| --- | --- | --- |")
    for name, prepare in ROWS.items():
        if chosen.names and not any(word in name for word in chosen.names):
            continue
        try:
            median, mean = milliseconds(prepare(store), chosen.calls)
        except ModelUnavailableError as error:
            print(f"| {name} | not here: {error.detail} | |")
        else:
            print(f"| {name} | {median:.2f} | {mean:.2f} |", flush=True)


if __name__ == "__main__":
    main()
