"""Brightness, structure and fine detail of the whole picture.

Together they distinguish a covered lens, a dark or overexposed room and a picture out of focus.
Measured on 52 frames of half of the labelled recordings (docs/accuracy.md): structure 9.7 to 28 (at
least 5.7 at gamma 5), below 0.6 when the picture is blurred over an eighth of its width, as by a hand
or tape on the lens; detail 2.5 to 9.3 (at least 1.45 at gamma 5), below 0.9 when it is blurred over an
eightieth of its width, as out of focus.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import ImageQuality
from proctoring.vision.frame import Luma, Pixels, luma_of

_DETAIL_SIZE = (320, 240)
"""Width and height at which detail is measured."""
_STRUCTURE_SIZE = (80, 60)
"""Width and height at which brightness and structure are measured."""
_GRADIENT_SIGMA = 4.0
"""Gaussian blur, in pixels of ``_STRUCTURE_SIZE``: what it leaves is a gradient of light and is
subtracted before structure is measured."""
_NOISE_SIGMA = 1.0
"""Gaussian blur, in pixels of ``_DETAIL_SIZE``, that removes sensor noise before detail is measured."""
_NOISE_KERNEL = cv2.getGaussianKernel(9, _NOISE_SIGMA, cv2.CV_32F)
"""The same blur as a kernel."""
_OVEREXPOSED = 250
"""Grey level, 0 to 255, from which a pixel counts as overexposed."""


@dataclass(frozen=True, slots=True)
class Light:
    """What the small grey copy says of a picture; see ``ImageQuality``."""

    brightness: float
    overexposed: float
    structure: float
    edges: float
    """Strength of the edges in the copy: far coarser than ``detail``, but it changes when that does."""


def measure_light(luma: Luma) -> Light:
    """Measure without the pixels. About a tenth of a millisecond."""
    small = cv2.resize(luma, _STRUCTURE_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    gradient = cv2.GaussianBlur(small, (0, 0), _GRADIENT_SIGMA)
    return Light(
        brightness=cv2.mean(small)[0],
        overexposed=float(np.count_nonzero(small >= _OVEREXPOSED)) / small.size,
        structure=_spread(cv2.subtract(small, gradient)),
        edges=_spread(cv2.Laplacian(luma, cv2.CV_16S)),
    )


def measure_detail(pixels: Pixels) -> float:
    """Strength of the finest edges. Half a millisecond at 640 x 480."""
    fine = cv2.resize(pixels, _DETAIL_SIZE, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY)
    smooth = cv2.sepFilter2D(grey, cv2.CV_32F, _NOISE_KERNEL, _NOISE_KERNEL)
    return _spread(cv2.Laplacian(smooth, cv2.CV_32F))


def quality_of(light: Light, detail: float) -> ImageQuality:
    """Both measurements as one."""
    return ImageQuality(light.brightness, light.overexposed, light.structure, detail)


def measure_camera(pixels: Pixels) -> ImageQuality:
    """Measure one picture."""
    return quality_of(measure_light(luma_of(pixels)), measure_detail(pixels))


def _spread(values: NDArray[Any]) -> float:
    """Standard deviation of values around zero."""
    mean = cv2.mean(values)[0]
    square = cv2.norm(values, cv2.NORM_L2SQR) / values.size
    return math.sqrt(max(0.0, square - mean * mean))
