"""The square crops around a face that are the inputs of the liveness networks."""

from __future__ import annotations

import cv2
import numpy as np

from proctoring.observations import Box
from proctoring.vision.frame import Pixels


def context_crop(pixels: Pixels, box: Box, scale: float, size: int = 80) -> Pixels:
    """The box enlarged ``scale`` times about its centre, resampled to (size, size, 3) RGB.

    The scale is limited so that the crop fits the frame, and the crop is shifted inside it: there is no
    padding, on which the networks were not trained and which they take for the edge of a print. Same
    crop as in minivision-ai/Silent-Face-Anti-Spoofing (``CropImage._get_new_box``), with its rounding to
    whole pixels and bilinear sampling.

    Raises:
        ValueError: the box is smaller than a pixel, or outside the frame.
    """
    height, width = pixels.shape[:2]
    box_width, box_height = int(box.width), int(box.height)
    if box_width < 1 or box_height < 1:
        raise ValueError("a box of less than a pixel cannot be cropped")
    scale = min(scale, (height - 1) / box_height, (width - 1) / box_width)
    left, right = _window(int(box.left), box_width, scale, width)
    top, bottom = _window(int(box.top), box_height, scale, height)
    window = pixels[top : bottom + 1, left : right + 1]
    if window.size == 0:
        raise ValueError("the box lies outside the picture")
    return _pixels(cv2.resize(window, (size, size), interpolation=cv2.INTER_LINEAR))


def close_crop(pixels: Pixels, box: Box, scale: float = 1.5, size: int = 128) -> Pixels:
    """The square around a box, ``scale`` times its longer side, resampled to (size, size, 3) RGB.

    The frame is mirrored at its edges, as in facenox/face-antispoof-onnx.
    """
    side = scale * max(box.width, box.height)
    step = side / size
    to_picture = np.array(
        [
            [step, 0.0, (box.left + box.right - side + step) / 2],
            [0.0, step, (box.top + box.bottom - side + step) / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return _pixels(
        cv2.warpAffine(
            pixels, to_picture, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
    )


def _pixels(picture: cv2.typing.MatLike) -> Pixels:
    return np.asarray(picture, np.uint8)


def _window(start: int, length: int, scale: float, limit: int) -> tuple[int, int]:
    """First and last pixel of an enlarged side, shifted into ``0..limit - 1``."""
    centre, half = start + length / 2, length * scale / 2
    first, last = centre - half, centre + half
    if first < 0:
        first, last = 0.0, last - first
    if last > limit - 1:
        first, last = first - (last - limit + 1), float(limit - 1)
    return max(0, int(first)), int(last)
