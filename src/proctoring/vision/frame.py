"""One video frame: its size and a small grey copy at once, its pixels when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB, upright."""

Luma = NDArray[np.uint8]
"""(rows, columns) grey levels, upright: the whole frame, ``LUMA_SIZE`` or up to twice as large, except
where the frame itself is smaller."""

LUMA_SIZE = (120, 90)
"""Width and height that ``Luma`` has at least: 160 x 120 for a frame of 640 x 480."""


_DIGESTED = (120, 160)
"""Rows and columns of single pixels, about, that are digested: a 4K frame costs as much as a small one."""


class EncodedPicture(Protocol):
    """A picture whose structure was checked, and which is decoded on demand."""

    @property
    def width(self) -> int:
        """In pixels, upright."""
        ...

    @property
    def height(self) -> int:
        """In pixels, upright."""
        ...

    @property
    def luma(self) -> Luma:
        """The small grey copy."""
        ...

    @property
    def digest(self) -> int:
        """64 bits, equal for equal pictures."""
        ...

    def decode(self) -> Pixels:
        """All pixels.

        Raises:
            BadFrameError: they cannot be decoded.
        """
        ...


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame and its capture time."""

    time: float
    """Media time in seconds."""
    picture: Pixels | EncodedPicture

    @cached_property
    def pixels(self) -> Pixels:
        """The frame's pixels; decoded when they are first asked for."""
        return self.picture if isinstance(self.picture, np.ndarray) else self.picture.decode()

    @cached_property
    def luma(self) -> Luma:
        """The small grey copy."""
        if not isinstance(self.picture, np.ndarray):
            return self.picture.luma
        return luma_of(self.picture)

    @property
    def luma_scale(self) -> float:
        """Pixels of ``luma`` for each pixel of the frame."""
        return float(self.luma.shape[1] / self.width)

    @cached_property
    def digest(self) -> int:
        """64 bits, equal for two frames with the same pixels. Does not decode."""
        if not isinstance(self.picture, np.ndarray):
            return self.picture.digest
        return _digest_of(self.picture)

    @property
    def decoded(self) -> bool:
        """Whether ``pixels`` are there already."""
        return isinstance(self.picture, np.ndarray) or "pixels" in self.__dict__

    @property
    def width(self) -> int:
        """In pixels."""
        picture = self.picture
        return int(picture.shape[1]) if isinstance(picture, np.ndarray) else picture.width

    @property
    def height(self) -> int:
        """In pixels."""
        picture = self.picture
        return int(picture.shape[0]) if isinstance(picture, np.ndarray) else picture.height


def luma_of(pixels: Pixels) -> Luma:
    """The small grey copy of pixels, in the size that a JPEG decoder would give: a multiple of an eighth."""
    height, width = pixels.shape[:2]
    eighths = next(
        (
            n
            for n in range(1, 8)
            if n * width >= 8 * LUMA_SIZE[0] and n * height >= 8 * LUMA_SIZE[1]
        ),
        8,
    )
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    if eighths == 8:  # the whole picture
        return np.asarray(grey, np.uint8)
    size = (-(-width * eighths // 8), -(-height * eighths // 8))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _digest_of(pixels: Pixels) -> int:
    height, width = pixels.shape[:2]
    down, across = max(1, height // _DIGESTED[0]), max(1, width // _DIGESTED[1])
    grid = np.ascontiguousarray(pixels[down // 2 :: down, across // 2 :: across])
    return int.from_bytes(blake2b(grid.tobytes(), digest_size=8).digest())
