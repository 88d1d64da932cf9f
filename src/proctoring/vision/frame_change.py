"""How much one picture differs from another: noise, movement, or nothing at all.

A real camera never gives the same picture twice: every pixel carries sensor noise. A frozen
driver, or a still picture fed in its place, repeats itself exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Pixels

Sample = NDArray[np.int16]
"""(rows, columns) brightness, 0 to 765, of single pixels spread over a picture."""

_ROWS, _COLUMNS = 90, 120
_SLIGHT = 6
"""Sums of red, green and blue that differ by less than this (2 of 255 each) are the same."""


@dataclass(frozen=True, slots=True)
class FrameChange:
    """The difference of two pictures."""

    mean: float
    """Mean difference of brightness, 0 to 255. Exactly 0: the same picture again."""
    share: float
    """Share of the pixels that differ by more than 2 of 255."""


def sample_pixels(pixels: Pixels) -> Sample:
    """About 120 x 90 single pixels of a picture.

    Single ones, not averages: averaging removes the very noise that tells a camera from a still.
    """
    height, width = pixels.shape[:2]
    down, across = max(1, height // _ROWS), max(1, width // _COLUMNS)
    return np.asarray(pixels[down // 2 :: down, across // 2 :: across].sum(axis=2, dtype=np.int16))


def frame_change(before: Sample, after: Sample) -> FrameChange:
    """What changed from one sample to another; everything, when the size of the picture did."""
    if before.shape != after.shape:
        return FrameChange(255.0, 1.0)
    difference = np.abs(after - before)
    return FrameChange(float(difference.mean()) / 3, float((difference > _SLIGHT).mean()))
