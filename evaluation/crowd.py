"""How many faces in group photos are detected, and so hidden, in stored evidence.

Run: ``uv run python -m evaluation.crowd DATA/persons/groups [OTHER FOLDERS]``

For each image: faces that a session tracks (four at most); faces detected in the whole image, in
halves too, in thirds too; CPU milliseconds of the last. Overlapping detections count as one face.
``--alone FOLDER``: images of one person each, in which no face besides the candidate's should be
detected. Faces are not labelled: check the images that ``--save FOLDER`` writes, with all faces hidden
as in a still without a candidate.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.session.evidence.bystanders import PeopleInFrame, hide_bystanders, people_in
from proctoring.session.evidence.face_search import TILES_OF_STILL, FindFaces, search_faces
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.face_detection import iou
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.tiled_detection import detect_faces_in_tiles

SAME = 0.3
"""Intersection over union from which two detections count as one face."""


def read(file: Path) -> Pixels:
    """An image as RGB."""
    found = cv2.imread(str(file))
    assert found is not None, file
    return np.ascontiguousarray(found[:, :, ::-1].astype(np.uint8))


def apart(boxes: tuple[Box, ...]) -> int:
    """The number of faces, overlapping detections counted once."""
    kept: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    for box in boxes:
        corners = np.array([box.left, box.top, box.right, box.bottom], np.float32)
        if all(iou(corners, other) <= SAME for other in kept):
            kept.append(corners)
    return len(kept)


def main() -> None:
    """Print a line for each image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--alone", type=Path, default=None)
    parser.add_argument("--save", type=Path, default=None)
    chosen = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_vision_models(store, object_model=settings.object_model)
    assert models.faces is not None, models.capabilities
    detector = models.faces.detector

    def find(pixels: Pixels, cuts: int) -> tuple[Box, ...]:
        return detect_faces_in_tiles(detector, pixels, cuts)

    if chosen.alone is not None:
        alone(models, find, chosen.alone)
    totals = np.zeros(4, int)
    for file in sorted(file for folder in chosen.folders for file in folder.glob("*.jpg")):
        pixels = read(file)
        analyser = VisionAnalyser(models)
        followed = [
            len(analyser.analyse(Frame(n / 10, pixels)).observation.faces or ()) for n in range(15)
        ]
        counts = [max(followed), *(apart(find(pixels, cuts)) for cuts in range(1, TILES_OF_STILL))]
        began = time.process_time()
        counts.append(apart(find(pixels, TILES_OF_STILL)))
        cpu = (time.process_time() - began) * 1000
        totals += counts
        print(
            f"{file.name:24} tracked {counts[0]:2}  whole, halves, thirds {counts[1:]}  {cpu:.0f} ms"
        )
        if chosen.save is not None:
            looked = PeopleInFrame(0.0, None, (), ())
            looks = search_faces([(0.0, pixels)], (looked,), find, tiles=TILES_OF_STILL)
            hidden = np.ascontiguousarray(hide_bystanders(pixels, 0.0, looks))
            chosen.save.mkdir(parents=True, exist_ok=True)
            (chosen.save / file.name).write_bytes(simplejpeg.encode_jpeg(hidden, quality=85))
    print(f"together: tracked {totals[0]}, whole, halves, thirds {totals[1:].tolist()}")


def alone(models: VisionModels, find: FindFaces, folder: Path) -> None:
    """Print in how many images of one person another face is detected too."""
    pictures = beside = unseen = 0
    for file in sorted(folder.rglob("*.jpg")):
        pixels = read(file)
        analyser = VisionAnalyser(models)
        looks = [people_in(analyser.analyse(Frame(n / 10, pixels)).observation) for n in range(3)]
        if looks[-1].candidate is None:
            unseen += 1
            continue
        pictures += 1
        found = search_faces([(0.25, pixels)], looks, find, tiles=TILES_OF_STILL)[-1]
        assert found.bystanders is not None
        beside += bool(found.bystanders)
        if found.bystanders:
            print(f"{file.name}: {len(found.bystanders)} beside")
    print(f"{beside} of {pictures} images of one person ({unseen} without a face)")


if __name__ == "__main__":
    main()
