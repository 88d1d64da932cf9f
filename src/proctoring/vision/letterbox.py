"""Fitting a picture into the input of a network without changing its proportions."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Pixels

PADDING = 114
"""Grey level of the border with which YOLOX and YOLO11 were trained."""


@dataclass(frozen=True, slots=True, eq=False)
class Letterbox:
    """A picture fitted into the input of a network, and how to map boxes back."""

    pixels: Pixels
    """(height, width, 3) in the size of the network's input."""
    scale: float
    """Network pixels per picture pixel."""
    left: int
    top: int
    """Position of the picture within the input, in network pixels."""

    def to_picture(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Map (n, 4) boxes (left, top, right, bottom) from network pixels to picture pixels."""
        offset = np.array([self.left, self.top, self.left, self.top], np.float32)
        return ((boxes - offset) / np.float32(self.scale)).astype(np.float32)


def letterbox(pixels: Pixels, width: int, height: int, *, centred: bool) -> Letterbox:
    """Fit a picture into ``width`` x ``height``, centred or in the top left corner."""
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
