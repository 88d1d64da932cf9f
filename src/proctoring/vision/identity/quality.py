"""Whether a face can be compared with another at all.

Measured on 112 pairs of one person on two days (``nuaa_pairs.json``), single embeddings: at 60 pixels
of width, gamma 2 and a blur of 2 pixels as good, or nearly, as it stands; at 40 pixels, gamma 3 and a
blur of 4 pixels twice as many right ones are refused. Two persons never came nearer.
"""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.vision.face_view import is_turned_away
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.alignment import aligned_face
from proctoring.vision.landmarks import Mesh, hull

MIN_FACE = 60.0
"""Pixels of width."""
_DARK = 20.0
_BURNT = 240.0
"""Mean brightness of the aligned face, 0 to 255."""
_BLURRED = 2.6
"""Strength of the finest edges in the aligned face: below it, sharp pictures were never."""


def too_small(mesh: Mesh) -> bool:
    """Whether the face has too few pixels."""
    return hull(mesh).width < MIN_FACE


def sharpness(face: Pixels) -> float:
    """Strength of the finest edges of an aligned face: 5 to 9 in a webcam's picture."""
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F).std())


def rejection_reason(pixels: Pixels, mesh: Mesh) -> str:
    """Why this face cannot be compared; empty when it can."""
    if too_small(mesh):
        return f"face smaller than {MIN_FACE:.0f} pixels"
    if is_turned_away(mesh):
        return "face turned away"
    face = aligned_face(pixels, mesh)
    light = float(face.mean())
    if light < _DARK:
        return "face too dark"
    if light > _BURNT:
        return "face too bright"
    if sharpness(face) < _BLURRED:
        return "face blurred"
    return ""
