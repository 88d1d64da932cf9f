"""How far the mouth is open, from the landmarks that are there anyway."""

from __future__ import annotations

import numpy as np

from proctoring.vision.landmarks import Mesh, face_width

_UPPER_INNER, _LOWER_INNER = 13, 14
_RIGHT_CORNER, _LEFT_CORNER = 61, 291
LEAST_FACE = 80.0
"""Pixels that a face must be wide: on smaller ones still lips seem to move."""


def mouth_opening(mesh: Mesh) -> float | None:
    """Distance of the inner lips in mouth widths, in space: 0 when shut, about 0.5 for an "ah".

    ``None`` where the face is small or the mouth has no width. Nods and turns change it little; a hidden mouth is guessed
    by the network, shut as a rule.
    """
    width = float(np.linalg.norm(mesh[_LEFT_CORNER] - mesh[_RIGHT_CORNER]))
    if width < 1e-3 or face_width(mesh) < LEAST_FACE:
        return None
    return float(np.linalg.norm(mesh[_LOWER_INNER] - mesh[_UPPER_INNER])) / width
