"""Estimates 52 expression scores of a face from 146 of its landmarks.

Landmark indices and order of the scores: MediaPipe's ``face_blendshapes_graph.cc`` (Apache-2.0).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.models.network import Network
from proctoring.vision.landmarks import Mesh

Blendshapes = NDArray[np.float32]
"""(52,) scores, 0 to 1."""

EYE_BLINK = (9, 10)
EYE_LOOK_DOWN = (11, 12)
EYE_LOOK_UP = (17, 18)
"""Indices of the scores of the left and the right eye."""

# fmt: off
_SUBSET = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65,
    66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136,
    144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172,
    173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276, 282, 283,
    284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323, 324,
    332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385,
    386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472,
    473, 474, 475, 476, 477,
])
# fmt: on


def estimate_blendshapes(network: Network, mesh: Mesh) -> Blendshapes:
    """Estimate the expression scores of a mesh in frame pixels."""
    (scores,) = network(np.ascontiguousarray(mesh[_SUBSET, :2])[None])
    return scores.reshape(-1).astype(np.float32, copy=True)
