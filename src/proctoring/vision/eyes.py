"""Measures the eyes from landmarks, independent of the face's position and size.

Each eye has its own coordinate frame: the origin midway between its corners, x along them towards the
picture's right, y down, one unit the distance of the corners. The two eyes are averaged, weighted by
the width at which they are seen: the farther eye of a turned head is narrow and its iris noisy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.landmarks import Mesh

_RIGHT = (33, 133, 468, (159, 158, 160), (145, 153, 144))
_LEFT = (362, 263, 473, (386, 385, 387), (374, 380, 373))
"""Landmarks: corner at the picture's left, corner at its right, iris, upper lid, lower lid."""
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
    right, right_width = _one_eye(mesh, *_RIGHT)
    left, left_width = _one_eye(mesh, *_LEFT)
    both = right_width + left_width
    if min(right_width, left_width) < _MIN_WIDTH:
        return None
    mean = (right * right_width + left * left_width) / both
    return EyeShape(float(mean[0]), float(mean[1]), float(mean[2]), float(mean[3]))


def _one_eye(
    mesh: Mesh,
    left_corner: int,
    right_corner: int,
    iris: int,
    upper: tuple[int, ...],
    lower: tuple[int, ...],
) -> tuple[NDArray[np.float32], float]:
    """Iris across, iris down, upper lid, lower lid in eye widths; and the eye's width in pixels."""
    start, end = mesh[left_corner, :2], mesh[right_corner, :2]
    across = end - start
    width = float(np.hypot(*across))
    if width < _MIN_WIDTH:
        return np.zeros(4, np.float32), 0.0
    across = across / width
    down = np.array([-across[1], across[0]], np.float32)
    middle = (start + end) / 2
    iris_from = mesh[iris, :2] - middle
    return (
        np.array(
            [
                iris_from @ across,
                iris_from @ down,
                (mesh[list(upper), :2].mean(axis=0) - middle) @ down,
                (mesh[list(lower), :2].mean(axis=0) - middle) @ down,
            ],
            np.float32,
        )
        / width,
        width,
    )
