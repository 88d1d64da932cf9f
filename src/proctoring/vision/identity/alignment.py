"""The upright, centred square of a face that the embedding network was trained on."""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh

SIDE = 150
_POINTS = [263, 362, 33, 133, 2]
"""Corners of the eyes (outer and inner, the left eye first) and the base of the nose: what dlib's
five-point model marks."""
_PADDING = 0.25
_MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""Where these points lie in an average face (dlib, ``get_face_chip_details``), shares of its box."""


def aligned_face(pixels: Pixels, mesh: Mesh) -> Pixels:
    """The face as (150, 150, 3), turned, moved and scaled, not distorted, onto the mean face.

    Raises:
        ValueError: the landmarks lie in one point.
    """
    points = mesh[_POINTS, :2].astype(np.float64)
    places = (_PADDING + _MEAN_FACE) / (2 * _PADDING + 1) * SIDE
    matrix = _similarity(places, points)
    step = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if step > 2:
        # Halved beforehand as dlib does: sampling every second pixel would see noise and moire.
        share = 2.0 ** -int(np.log2(step))
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix *= share
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix, (SIDE, SIDE), flags=flags), np.uint8)


def _similarity(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The map (2, 3) from one set of points to another, least squares, by turn, scale and shift."""
    centre, middle = places.mean(axis=0), points.mean(axis=0)
    a, b = places - centre, points - middle
    spread = float((a**2).sum())
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    if np.hypot(cosine, sine) < 1e-6:
        raise ValueError("landmarks in one point are no face")
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, middle - turn @ centre])
