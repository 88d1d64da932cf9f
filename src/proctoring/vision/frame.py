"""A decoded video frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB, upright."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The pixels of one frame and their capture time."""

    time: float
    """Media time in seconds."""
    pixels: Pixels
