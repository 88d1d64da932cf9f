"""Checks whether a face is good enough to be compared with the reference.

Measured on 112 pairs of one person on two days (``nuaa_pairs.json``), single embeddings: at 60 pixels of
width, gamma 2 and a blur of 2 pixels, false non-matches are about as frequent as in the unchanged
pictures; at 40 pixels, gamma 3 and a blur of 4 pixels they are twice as frequent. False matches did not
increase.
"""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.vision.face_view import is_turned_away
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.alignment import aligned_face
from proctoring.vision.landmarks import Mesh, hull

MIN_FACE = 60.0
"""Smallest width of a face, in pixels."""
_MIN_BRIGHTNESS, _MAX_BRIGHTNESS = 20.0, 240.0
"""Limits of the mean brightness of the aligned face, 0 to 255."""
_MIN_SHARPNESS = 2.6
"""Lower limit of ``sharpness``: no sharp picture was below it."""


def too_small(mesh: Mesh) -> bool:
    """Whether the face has too few pixels."""
    return hull(mesh).width < MIN_FACE


def sharpness(face: Pixels) -> float:
    """Standard deviation of the Laplacian of an aligned face: 5 to 9 in webcam pictures."""
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F).std())


def rejection_reason(pixels: Pixels, mesh: Mesh) -> str:
    """Why a face cannot be compared; empty: it can be."""
    if too_small(mesh):
        return f"face smaller than {MIN_FACE:.0f} pixels"
    if is_turned_away(mesh):
        return "face turned away"
    face = aligned_face(pixels, mesh)
    light = float(face.mean())
    if light < _MIN_BRIGHTNESS:
        return "face too dark"
    if light > _MAX_BRIGHTNESS:
        return "face too bright"
    if sharpness(face) < _MIN_SHARPNESS:
        return "face blurred"
    return ""
