"""How well a face can be seen, whatever is to be read from it."""

from __future__ import annotations

import numpy as np

from proctoring.observations import Box
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh

_TURNED = 0.2
"""Where the nose stands between the edges of the face, 0 to 1: closer to an edge than this is about
35 degrees."""
_NOSE, _RIGHT_EDGE, _LEFT_EDGE = 1, 234, 454


def is_turned_away(mesh: Mesh) -> bool:
    """Whether the face is turned to a side by more than about 35 degrees."""
    across = mesh[_LEFT_EDGE, :2] - mesh[_RIGHT_EDGE, :2]
    length = float(across @ across)
    place = float((mesh[_NOSE, :2] - mesh[_RIGHT_EDGE, :2]) @ across) / length if length else 0.0
    return not _TURNED <= place <= 1 - _TURNED


def brightest_tenth(pixels: Pixels, box: Box) -> float | None:
    """Brightness (0 to 255) that the brightest tenth of the box reaches; ``None`` outside the picture."""
    height, width = pixels.shape[:2]
    face = pixels[
        max(0, int(box.top)) : min(height, int(box.bottom)) : 4,
        max(0, int(box.left)) : min(width, int(box.right)) : 4,
    ]
    if face.size == 0:
        return None
    return float(np.percentile(face.max(axis=2), 90))
