"""Whether further crops detect more phones: ``python -m evaluation.phone_crops DATA``.

The default detector analyses the whole image and the lap. Here it analyses further crops too, and a
phone in any of them counts: around the face (a phone at the ear, or held up before it), along the lower
edge left and right (hands at the edge of the image), and around what it suspects itself (score .2 and
more), which is where hands hold something. There is no hand detector among the networks.

Printed per method: the share of labelled images with an alarm, one detection each, at the shipped
threshold (.35) and a higher one. Nothing was chosen on these figures; the shipped threshold was
chosen on these images.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from evaluation.cascade import recordings, share
from evaluation.objects import gestures, print_table
from evaluation.sessions import evaluation_models
from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.settings import Settings
from proctoring.vision.cascade import SUSPECT_SCORE
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.objects import LAP, WHOLE, ObjectDetector, View, load_object_detector

THRESHOLDS = (0.35, 0.45)
LOWER_EDGE: tuple[View, ...] = ((0.0, 0.45, 0.55, 1.0), (0.45, 0.45, 1.0, 1.0))
FACE_REACH = 1.5
"""Half the side of the crop around a face, in units of the face's longer side."""
SUSPECT_REACH = 1.5
"""The same for a suspected phone."""
WAYS = {
    "whole and lap (default)": (),
    "and around the face": ("face",),
    "and the lower edge": ("edge",),
    "and around suspects": ("suspects",),
    "all of them": ("face", "edge", "suspects"),
}


def main() -> None:
    """Print a table for each threshold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=1, help="use every n-th image")
    arguments = parser.parse_args()
    models = evaluation_models(arguments.data, object_model="none")
    settings = Settings()
    store = ModelStore(
        settings.models_folder, settings.models_mirror or arguments.data.parent / "models"
    )
    detector = replace(load_object_detector(store, "ssd_mobilenet_v2"), phone_score=SUSPECT_SCORE)
    best: dict[str, list[dict[str, float]]] = defaultdict(list)
    for kind, pixels in pictures(arguments.data, arguments.every):
        best[kind].append(scores(detector, models, pixels))
    for threshold in THRESHOLDS:
        print(f"## At {threshold}\n")
        rows = [
            [
                name,
                *(share([alarms(one, parts, threshold) for one in ones]) for ones in best.values()),
            ]
            for name, parts in WAYS.items()
        ]
        print_table(["views", *best], rows)


def pictures(data: Path, every: int) -> Iterator[tuple[str, Pixels]]:
    """Kind and pixels of each image."""
    for kind, path in recordings(data, every):
        yield kind, decode_jpeg(path.read_bytes())
    for number, (pixels, _) in enumerate(gestures(data)):
        if number % every == 0:
            yield "bare hands", pixels


def scores(detector: ObjectDetector, models: VisionModels, pixels: Pixels) -> dict[str, float]:
    """The best score of a phone in each group of views."""
    height, width = pixels.shape[:2]
    shipped = replace(detector, views=(WHOLE, LAP)).detect(pixels)
    faces = _faces(models, pixels)
    around_faces = [view_around(box, FACE_REACH, width, height) for box in faces]
    suspects = [
        view_around(phone.box, SUSPECT_REACH, width, height) for phone in shipped.phones[:2]
    ]
    return {
        "": max((phone.score for phone in shipped.phones), default=0.0),
        "face": _best(detector, pixels, around_faces),
        "edge": _best(detector, pixels, LOWER_EDGE),
        "suspects": _best(detector, pixels, suspects),
    }


def _best(detector: ObjectDetector, pixels: Pixels, views: tuple[View, ...] | list[View]) -> float:
    if not views:
        return 0.0
    seen = replace(detector, views=tuple(views)).detect(pixels)
    return max((phone.score for phone in seen.phones), default=0.0)


def _faces(models: VisionModels, pixels: Pixels) -> list[Box]:
    assert models.faces is not None
    tracker = FaceTracker(models.faces.detector, models.faces.landmarker)
    return [face.box for face in tracker.update(Frame(0.0, pixels))]


def view_around(box: Box, reach: float, width: int, height: int) -> View:
    """A square around the centre of a box, cut at the image's edges, as shares of the image."""
    half = reach * max(box.width, box.height)
    across, down = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return (
        max(0.0, (across - half) / width),
        max(0.0, (down - half) / height),
        min(1.0, (across + half) / width),
        min(1.0, (down + half) / height),
    )


def alarms(found: dict[str, float], parts: tuple[str, ...], threshold: float) -> bool:
    """Whether a phone reaches the threshold in the default views or in those of ``parts``."""
    return max(found[part] for part in ("", *parts)) >= threshold


if __name__ == "__main__":
    main()
