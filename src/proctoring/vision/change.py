"""How much one small grey copy of a frame differs from another, against the camera's own noise.

A difference is a mean square in squared grey levels, after a change of the light as a whole (lamps,
exposure control) has been removed. What sensor and JPEG compression contribute to it is measured in each
session: differences that are never undercut for long are noise.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Luma

BLOCK = 8
"""Side in pixels of the blocks in which a whole picture is compared."""
_MEMORY = 40
"""Differences of which the lower end is the noise: four seconds of frames at the full rate."""
_LOW_SHARE = 0.2
"""Share of them that is below the noise level."""
_ENOUGH = 5
"""Differences from which there is a noise level."""

Differences = NDArray[np.float32]
"""Mean square differences in squared grey levels."""


class Noise:
    """The noise level of one camera in one kind of area, from the differences found there.

    Movement only adds to a difference, so the lower end of the last seconds is what the camera adds
    itself. A level follows the camera within seconds, and a scene that moves for all of that time raises
    it: what is compared with it must be limited in absolute terms too.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_MEMORY)

    def add(self, difference: float) -> None:
        """Add a mean square difference of two frames."""
        self._recent.append(difference)

    @property
    def level(self) -> float | None:
        """Mean square difference that noise alone makes; ``None``: not known yet."""
        if len(self._recent) < _ENOUGH:
            return None
        return sorted(self._recent)[int(_LOW_SHARE * len(self._recent))]


def block_differences(before: Luma, now: Luma) -> Differences:
    """(rows, columns) differences in blocks of ``BLOCK`` pixels; a rest at the right and bottom is left out.

    About 60 microseconds at 160 x 120. The change of the light as a whole is the median of all pixels'.

    Raises:
        ValueError: the pictures differ in size, or are smaller than a block.
    """
    if before.shape != now.shape:
        raise ValueError(f"pictures of {before.shape} and {now.shape} cannot be compared")
    rows, columns = now.shape[0] // BLOCK, now.shape[1] // BLOCK
    if not (rows and columns):
        raise ValueError("a picture smaller than a block cannot be compared")
    change = cv2.subtract(
        now[: rows * BLOCK, : columns * BLOCK],
        before[: rows * BLOCK, : columns * BLOCK],
        dtype=cv2.CV_32F,
    )
    change -= np.median(change[::2, ::2])
    size = (columns, rows)
    return np.asarray(cv2.resize(change * change, size, interpolation=cv2.INTER_AREA), np.float32)
