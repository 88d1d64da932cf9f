"""Small faces are found in tiles of a picture; boxes are shares of the whole."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tests.session.evidence.people import CANDIDATE, HEIGHT, WIDTH, one_person

from proctoring.models.network import Network
from proctoring.observations import Box
from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.tiled_detection import detect_faces_in_tiles


@pytest.fixture
def detector(vision_models: VisionModels) -> Network:
    if vision_models.faces is None:
        pytest.skip("no face networks: " + "; ".join(c.reason for c in vision_models.capabilities))
    return vision_models.faces.detector


def crowd(columns: int, rows: int) -> Pixels:
    """One photograph, many times, 160 x 160 each: faces of some 34 pixels."""
    photograph = one_person()[:, :HEIGHT]
    small = np.asarray(cv2.resize(photograph, (160, 160), interpolation=cv2.INTER_AREA), np.uint8)
    return np.tile(small, (rows, columns, 1))


def people(boxes: tuple[Box, ...], columns: int, rows: int) -> set[tuple[int, int]]:
    """In which photographs of a crowd a face was found, where it is."""
    places = set()
    for box in boxes:
        x, y = (box.left + box.right) / 2 * columns, (box.top + box.bottom) / 2 * rows
        own_x = (CANDIDATE.left + CANDIDATE.right) / 2 * WIDTH / HEIGHT
        own_y = (CANDIDATE.top + CANDIDATE.bottom) / 2
        if abs(x % 1 - own_x) < 0.1 and abs(y % 1 - own_y) < 0.1:
            places.add((int(x), int(y)))
    return places


def test_boxes_are_shares_of_the_picture(detector: Network) -> None:
    for cuts in (1, 2):
        boxes = detect_faces_in_tiles(detector, one_person(), cuts)
        assert boxes
        for box in boxes:
            assert (box.left + box.right) / 2 == pytest.approx(
                (CANDIDATE.left + CANDIDATE.right) / 2, abs=0.03
            )


def test_faces_too_small_for_the_whole_are_found_in_parts(detector: Network) -> None:
    picture = crowd(6, 4)
    found = [
        len(people(detect_faces_in_tiles(detector, picture, cuts), 6, 4)) for cuts in (1, 2, 3)
    ]
    assert found[0] < found[1] < 24
    assert found[2] == 24


def test_a_picture_smaller_than_its_parts_does_no_harm(detector: Network) -> None:
    assert detect_faces_in_tiles(detector, np.full((2, 1, 3), 90, np.uint8), 3) == ()
