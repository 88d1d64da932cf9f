"""How far the mouth is open."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.vision.landmarks import Mesh
from proctoring.vision.lips import mouth_opening


def face(opening: float, width: float = 200.0) -> Mesh:
    """A mesh of which only the points that are looked at have a place."""
    mesh = np.zeros((478, 3), np.float32)
    mesh[234, 0], mesh[454, 0] = -width / 2, width / 2
    mesh[61, 0], mesh[291, 0] = -width / 5, width / 5
    mesh[14, 1] = opening * width * 2 / 5
    return mesh


@pytest.mark.parametrize("opening", [0.0, 0.1, 0.5])
def test_the_opening_is_in_mouth_widths_whatever_the_size(opening: float) -> None:
    for width in (90.0, 400.0):
        assert mouth_opening(face(opening, width)) == pytest.approx(opening, abs=1e-5)


def test_a_turned_head_opens_no_mouth() -> None:
    mesh = face(0.2)
    turned = mesh @ np.array([[0.7, 0, 0.714], [0, 1, 0], [-0.714, 0, 0.7]], np.float32)
    assert mouth_opening(turned) == pytest.approx(0.2, abs=1e-3)


def test_small_faces_and_mouths_without_width_are_not_read() -> None:
    assert mouth_opening(face(0.2, 60.0)) is None
    assert mouth_opening(np.zeros((478, 3), np.float32)) is None
