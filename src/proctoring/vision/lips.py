"""Measures how far the mouth is open, from landmarks."""

from __future__ import annotations

import math

from proctoring.vision.landmarks import Mesh, face_width

_LIPS = [61, 291, 13, 14]
"""Landmarks: right and left corner, upper and lower inner lip."""
MIN_FACE_PIXELS = 80.0
"""Smallest width of a face in pixels: on smaller ones the landmarks of still lips move."""
_MIN_MOUTH_PIXELS = 1e-3
"""Mouth width in pixels below which the landmarks are degenerate."""


def mouth_opening(mesh: Mesh) -> float | None:
    """Distance of the inner lips in mouth widths: 0 when shut, about 0.5 for an "ah".

    Measured in space, so that nods and turns change it little. The landmark network guesses a hidden
    mouth, usually shut. ``None``: the face is too small, or the mouth has no width.
    """
    right, left, upper, lower = mesh[_LIPS].tolist()
    width = math.dist(right, left)
    if width < _MIN_MOUTH_PIXELS or face_width(mesh) < MIN_FACE_PIXELS:
        return None
    return math.dist(upper, lower) / width
