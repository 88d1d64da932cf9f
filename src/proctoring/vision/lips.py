"""Measures how far the mouth is open, from landmarks."""

from __future__ import annotations

import numpy as np

from proctoring.vision.landmarks import Mesh, face_width

_UPPER_INNER, _LOWER_INNER = 13, 14
_RIGHT_CORNER, _LEFT_CORNER = 61, 291
MIN_FACE_PIXELS = 80.0
"""Smallest width of a face in pixels: on smaller ones the landmarks of still lips move."""
_MIN_MOUTH_PIXELS = 1e-3
"""Mouth width in pixels below which the landmarks are degenerate."""


def mouth_opening(mesh: Mesh) -> float | None:
    """Distance of the inner lips in mouth widths: 0 when shut, about 0.5 for an "ah".

    Measured in space, so that nods and turns change it little. The landmark network guesses a hidden
    mouth, usually shut. ``None``: the face is too small, or the mouth has no width.
    """
    width = float(np.linalg.norm(mesh[_LEFT_CORNER] - mesh[_RIGHT_CORNER]))
    if width < _MIN_MOUTH_PIXELS or face_width(mesh) < MIN_FACE_PIXELS:
        return None
    return float(np.linalg.norm(mesh[_LOWER_INNER] - mesh[_UPPER_INNER])) / width
