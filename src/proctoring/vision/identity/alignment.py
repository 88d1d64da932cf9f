"""Aligns a face: the upright, centred square on which the embedding network was trained."""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh

SIDE = 150
"""Width and height of the aligned face, in pixels."""
_POINTS = [263, 362, 33, 133, 2]
"""Landmarks at the corners of the eyes (outer and inner, the left eye first) and the base of the nose:
the points of dlib's five-point model."""
_PADDING = 0.25
"""Margin around the mean face on each side, as a share of its size."""
_MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""x and y of these points in the mean face (dlib, ``get_face_chip_details``), as shares of its box."""
_MAX_STEP = 2.0
"""Frame pixels per aligned pixel above which the frame is halved first, as dlib does, against aliasing."""
_DEGENERATE = 1e-6
"""Scale below which the landmarks coincide."""


def aligned_face(pixels: Pixels, mesh: Mesh) -> Pixels:
    """The face as (150, 150, 3) RGB, mapped onto the mean face by rotation, scaling and translation.

    Raises:
        ValueError: the landmarks coincide.
    """
    points = mesh[_POINTS, :2].astype(np.float64)
    places = (_PADDING + _MEAN_FACE) / (2 * _PADDING + 1) * SIDE
    matrix = _similarity(places, points)
    step = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if step > _MAX_STEP:
        share = 2.0 ** -int(np.log2(step))
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix *= share
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=flags), np.uint8)


def _similarity(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The least squares similarity transform, (2, 3), from one set of points to another."""
    centre, middle = places.mean(axis=0), points.mean(axis=0)
    a, b = places - centre, points - middle
    spread = float((a**2).sum())
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    if np.hypot(cosine, sine) < _DEGENERATE:
        raise ValueError("landmarks in one point are no face")
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, middle - turn @ centre])
