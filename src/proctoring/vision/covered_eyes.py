"""Whether something opaque lies over an eye: glare, dark glasses, hair of one colour."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh

_OUTLINES = (
    [33, 160, 159, 158, 133, 153, 145, 144],
    [362, 385, 386, 387, 263, 373, 374, 380],
)
"""Landmarks around each eye: corner, upper lid, corner, lower lid."""
_UPPER, _LOWER = 2, 6
"""Places of the middle of both lids in an outline."""
_CHEEKS = [50, 280]
_MIN_APERTURE = 0.17
"""Aperture in eye widths from which an iris must be visible: below it the lids may hide it."""
_MIN_SPREAD = 4.0
"""Standard deviation of grey levels of an open eye: iris, pupil and white differ by far more."""
_MIN_RELATIVE_SPREAD = 0.3
"""The same divided by the mean grey level: an eye in shadow has little spread, and less light. Eyes with
a spread below ``_MIN_SPREAD`` measured .44 and more (three men at gamma 2.2 and 2.6), flat covers with
noise .1."""
_MIN_LIGHT = 50.0
"""Brightness of the cheeks (0 to 255) below which a dim room may hide the difference."""
_WHITE, _MAX_WHITE = 235, 0.75
"""Grey level of glare, and the share of an open eye that it may cover."""


def covered_eye(pixels: Pixels, mesh: Mesh) -> str:
    """What is over an eye, in words; empty: nothing opaque."""
    height, width = pixels.shape[:2]
    for outline in _OUTLINES:
        landmarks = mesh[outline, :2]
        points: list[list[float]] = landmarks.tolist()
        across = math.dist(points[0], points[4])
        if math.dist(points[_UPPER], points[_LOWER]) < _MIN_APERTURE * across:
            continue
        columns, rows = [x for x, _ in points], [y for _, y in points]
        left, top = math.floor(min(columns)), math.floor(min(rows))
        right, bottom = math.ceil(max(columns)) + 1, math.ceil(max(rows)) + 1
        if left < 0 or top < 0 or right > width or bottom > height:
            continue
        grey = cv2.cvtColor(pixels[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
        inside = np.zeros(grey.shape, np.uint8)
        cv2.fillConvexPoly(inside, np.rint(landmarks - (left, top)).astype(np.int32), 1)
        if _is_white(grey, inside):
            return "glare over an eye"
        if _is_flat(grey, inside) and _light(pixels, mesh) >= _MIN_LIGHT:
            return "an eye is covered"
    return ""


def _is_white(grey: npt.NDArray[Any], inside: npt.NDArray[Any]) -> bool:
    """Whether the part of a picture where ``inside`` is not 0 is mostly white."""
    _, white = cv2.threshold(grey, _WHITE - 1, 1, cv2.THRESH_BINARY)
    covered = cv2.countNonZero(cv2.bitwise_and(white, inside))
    return covered > _MAX_WHITE * cv2.countNonZero(inside)


def _is_flat(grey: npt.NDArray[Any], inside: npt.NDArray[Any]) -> bool:
    mean, spread = cv2.meanStdDev(grey, mask=inside)
    return float(spread[0, 0]) < min(_MIN_SPREAD, _MIN_RELATIVE_SPREAD * float(mean[0, 0]))


def _light(pixels: Pixels, mesh: Mesh) -> float:
    """Mean brightness of the cheeks."""
    height, width = pixels.shape[:2]
    x = np.clip(mesh[_CHEEKS, 0].astype(int), 0, width - 1)
    y = np.clip(mesh[_CHEEKS, 1].astype(int), 0, height - 1)
    return float(pixels[y, x].mean())
