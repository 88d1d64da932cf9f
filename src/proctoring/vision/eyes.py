"""Measures the eyes from landmarks, independent of the face's position and size.

Each eye has its own coordinate frame: the origin midway between its corners, x along them towards the
picture's right, y down, one unit the distance of the corners. The two eyes are averaged, weighted by
the width at which they are seen: the farther eye of a turned head is narrow and its iris noisy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from proctoring.vision.landmarks import Mesh

_RIGHT = (33, 133, 468, 159, 158, 160, 145, 153, 144)
_LEFT = (362, 263, 473, 386, 385, 387, 374, 380, 373)
"""Landmarks: corner at the picture's left, corner at its right, iris, three of the upper lid, three of the
lower lid."""
_BOTH = np.array(_RIGHT + _LEFT)
_MIN_WIDTH = 1e-3
"""Distance of the corners in pixels below which an eye cannot be measured."""


@dataclass(frozen=True, slots=True)
class EyeShape:
    """Both eyes averaged, in eye widths from the middle between the corners."""

    iris_across: float
    """Positive towards the picture's right."""
    iris_down: float
    """Positive down, as are the lids."""
    upper_lid: float
    """About -0.17 when open; rises as the lid falls."""
    lower_lid: float

    @property
    def aperture(self) -> float:
        """Distance between the lids."""
        return self.lower_lid - self.upper_lid


def measure_eyes(mesh: Mesh) -> EyeShape | None:
    """Measure the eyes in a mesh; ``None`` where an eye has no width."""
    # Plain floats: for so few numbers, arrays would take five times as long.
    points: list[list[float]] = mesh[_BOTH].tolist()
    right, left = _one_eye(points[: len(_RIGHT)]), _one_eye(points[len(_RIGHT) :])
    if right is None or left is None:
        return None
    both = right[0] + left[0]
    share, rest = right[0] / both, left[0] / both
    return EyeShape(
        right[1] * share + left[1] * rest,
        right[2] * share + left[2] * rest,
        right[3] * share + left[3] * rest,
        right[4] * share + left[4] * rest,
    )


def _one_eye(points: list[list[float]]) -> tuple[float, float, float, float, float] | None:
    """The eye's width in pixels; iris across, iris down, upper lid, lower lid in eye widths. ``None``: it
    has no width."""
    (start_x, start_y, _), (end_x, end_y, _), (iris_x, iris_y, _), *lids = points
    across_x, across_y = end_x - start_x, end_y - start_y
    width = math.hypot(across_x, across_y)
    if width < _MIN_WIDTH:
        return None
    across_x, across_y = across_x / width, across_y / width
    middle_x, middle_y = (start_x + end_x) / 2, (start_y + end_y) / 2

    def down(x: float, y: float) -> float:
        return ((y - middle_y) * across_x - (x - middle_x) * across_y) / width

    iris_across = (iris_x - middle_x) * across_x + (iris_y - middle_y) * across_y
    upper, lower = lids[:3], lids[3:]
    return (
        width,
        iris_across / width,
        down(iris_x, iris_y),
        down(sum(lid[0] for lid in upper) / 3, sum(lid[1] for lid in upper) / 3),
        down(sum(lid[0] for lid in lower) / 3, sum(lid[1] for lid in lower) / 3),
    )
