from __future__ import annotations

import numpy as np
import pytest

from proctoring.vision.frame import Pixels
from proctoring.vision.identity.alignment import SIDE, aligned_face

POINTS = [263, 362, 33, 133, 2]
PLACES = [(111.0, 46.3), (89.6, 47.9), (37.1, 46.4), (58.4, 47.9), (74.0, 87.8)]
"""Where dlib puts the five points of a chip of 150 pixels with its padding of a quarter."""


def mesh_with(points: np.ndarray) -> np.ndarray:
    mesh = np.zeros((478, 3), np.float32)
    mesh[POINTS, :2] = points
    return mesh


def dots(points: np.ndarray, size: tuple[int, int]) -> Pixels:
    picture = np.zeros((*size, 3), np.uint8)
    for x, y in points.round().astype(int):
        picture[y - 3 : y + 4, x - 3 : x + 4] = 255
    return picture


@pytest.mark.parametrize(("scale", "turn"), [(1.0, 0.0), (0.7, 25.0), (1.5, -40.0), (4.5, 10.0)])
def test_brings_the_five_points_to_their_places(scale: float, turn: float) -> None:
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (np.array(PLACES) - 75) @ rotation.T * scale + 400
    face = aligned_face(dots(points, (800, 800)), mesh_with(points))
    assert face.shape == (SIDE, SIDE, 3)
    for x, y in PLACES:
        around = face[round(y) - 1 : round(y) + 2, round(x) - 1 : round(x) + 2]
        assert around.max() > 60, (x, y)


def test_landmarks_in_one_point_are_refused() -> None:
    with pytest.raises(ValueError, match="no face"):
        aligned_face(np.zeros((100, 100, 3), np.uint8), mesh_with(np.full((5, 2), 50.0)))
