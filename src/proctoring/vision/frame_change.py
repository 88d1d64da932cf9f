"""How much one picture differs from another: noise, movement, or nothing at all.

A real camera never gives the same picture twice: every pixel carries sensor noise. A frozen
driver, or a still picture fed in its place, repeats itself exactly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Pixels

Sample = NDArray[np.int16]
"""(rows, columns) brightness, 0 to 765, of single pixels spread over a picture."""

_ROWS, _COLUMNS = 30, 40


def sample_pixels(pixels: Pixels) -> Sample:
    """About 40 x 30 single pixels of a picture.

    Single ones, not averages: averaging removes the very noise that tells a camera from a still.
    """
    height, width = pixels.shape[:2]
    down, across = max(1, height // _ROWS), max(1, width // _COLUMNS)
    return np.asarray(pixels[down // 2 :: down, across // 2 :: across].sum(axis=2, dtype=np.int16))


def changes(earlier: Sequence[Sample], now: Sample) -> NDArray[np.float64]:
    """Mean difference of brightness, 0 to 255, of a sample to each earlier one of its own size.

    Exactly 0: the same picture again.
    """
    return np.asarray(np.abs(np.stack(earlier) - now).mean(axis=(1, 2)) / 3)
