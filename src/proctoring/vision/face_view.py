"""How well a face can be seen: whether it is turned away, and how bright it is."""

from __future__ import annotations

import numpy as np

from proctoring.observations import Box
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh

_MIN_NOSE_POSITION = 0.2
"""Position of the nose tip between the edges of the face, 0 to 1: nearer than this to an edge means
a turn of more than about 35 degrees."""
_NOSE, _RIGHT_EDGE, _LEFT_EDGE = 1, 234, 454
_SAMPLE_STEP = 4
"""Every fourth pixel in each direction is enough to measure brightness."""


def is_turned_away(mesh: Mesh) -> bool:
    """Whether the face is turned to a side by more than about 35 degrees."""
    across = mesh[_LEFT_EDGE, :2] - mesh[_RIGHT_EDGE, :2]
    length = float(across @ across)
    nose = float((mesh[_NOSE, :2] - mesh[_RIGHT_EDGE, :2]) @ across) / length if length else 0.0
    return not _MIN_NOSE_POSITION <= nose <= 1 - _MIN_NOSE_POSITION


def highlight_brightness(pixels: Pixels, box: Box) -> float | None:
    """The 90th percentile of brightness (0 to 255) in a box; ``None``: it is outside the frame."""
    height, width = pixels.shape[:2]
    face = pixels[
        max(0, int(box.top)) : min(height, int(box.bottom)) : _SAMPLE_STEP,
        max(0, int(box.left)) : min(width, int(box.right)) : _SAMPLE_STEP,
    ]
    if face.size == 0:
        return None
    return float(np.percentile(face.max(axis=2), 90))
