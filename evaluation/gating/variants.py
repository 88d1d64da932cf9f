"""Pictures as a client sends them: a sensor's noise, the page's size, a JPEG's quality."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from proctoring.vision.frame import Pixels

_MAX_WIDTH, _MAX_HEIGHT = 640, 480
"""Largest picture that the page sends unless the server asks otherwise."""
_SPARE = 128
"""Rows and columns by which the sheet of noise is larger than a picture."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What is done to every picture of a recording."""

    noise: float
    """Standard deviation of the added noise in grey levels, independent between frames and channels."""
    quality: int
    """Of the JPEG, 4:2:0 as browsers encode."""

    def __str__(self) -> str:
        return f"noise {self.noise:g}, quality {self.quality}"


class Sender:
    """Encodes the pictures of one recording.

    The noise of a frame is a part of one large sheet, at a place drawn for each frame: as independent
    between frames as new noise, at a tenth of the cost.
    """

    def __init__(self, variant: Variant, seed: int = 0) -> None:
        self._variant = variant
        self._generator = np.random.default_rng(seed)
        self._sheet: NDArray[np.int16] | None = None

    def encode(self, picture: Pixels) -> bytes:
        """One JPEG."""
        picture = as_the_page_scales(picture)
        if self._variant.noise:
            picture = self._noisy(picture)
        return bytes(
            simplejpeg.encode_jpeg(
                np.ascontiguousarray(picture),
                quality=self._variant.quality,
                colorsubsampling="420",
            )
        )

    def _noisy(self, picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        if self._sheet is None or self._sheet.shape[:2] != (height + _SPARE, width + _SPARE):
            sheet = self._generator.normal(
                0, self._variant.noise, (height + _SPARE, width + _SPARE, 3)
            )
            self._sheet = np.rint(sheet).astype(np.int16)
        top, left = self._generator.integers(0, _SPARE, 2)
        noise = self._sheet[top : top + height, left : left + width]
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)


def as_the_page_scales(picture: Pixels) -> Pixels:
    """The picture in the size in which the page sends it."""
    height, width = picture.shape[:2]
    scale = min(1.0, _MAX_WIDTH / width, _MAX_HEIGHT / height)
    if scale == 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
