"""Fitting a picture into a network's square without changing its proportions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Pixels

PADDING = 114
"""The grey that YOLOX and YOLO11 were trained with around pictures."""


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """A picture in a network's rectangle, and the way back."""

    pixels: Pixels
    """(height, width, 3), the network's size."""
    scale: float
    left: int
    top: int

    def to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 4) boxes in network pixels to boxes in pixels of the picture."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        return ((boxes - offset) / np.float32(self.scale)).astype(np.float32)


def letterbox(pixels: Pixels, width: int, height: int, *, centred: bool) -> Letterbox:
    """Fit a picture into ``width`` x ``height``, in the middle or in the top left corner."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    inner_width = max(1, round(pixels.shape[1] * scale))
    inner_height = max(1, round(pixels.shape[0] * scale))
    left = (width - inner_width) // 2 if centred else 0
    top = (height - inner_height) // 2 if centred else 0
    fitted = np.full((height, width, 3), PADDING, np.uint8)
    fitted[top : top + inner_height, left : left + inner_width] = cv2.resize(
        pixels, (inner_width, inner_height), interpolation=cv2.INTER_LINEAR
    )
    return Letterbox(fitted, scale, left, top)
