"""Pictures with a candidate and somebody beside: one real face, twice."""

from __future__ import annotations

import numpy as np
import simplejpeg
from skimage import data

from proctoring.observations import Box
from proctoring.vision.frame import Pixels

WIDTH, HEIGHT = 1024, 512
CANDIDATE = Box(170 / WIDTH, 70 / HEIGHT, 280 / WIDTH, 200 / HEIGHT)
"""The face of the left one, in shares of the picture."""
BYSTANDER = Box((512 + 170) / WIDTH, 70 / HEIGHT, (512 + 280) / WIDTH, 200 / HEIGHT)


def two_people() -> Pixels:
    """A photograph, and the same beside it."""
    one = _photograph()
    return np.concatenate([one, one], axis=1)


def one_person() -> Pixels:
    """The same with nobody on the right."""
    one = _photograph()
    return np.concatenate([one, np.full_like(one, 120)], axis=1)


def _photograph() -> Pixels:
    return np.ascontiguousarray(getattr(data, "astronaut")(), np.uint8)  # noqa: B009


def encode(pixels: Pixels) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=92))


def part(pixels: Pixels, box: Box) -> Pixels:
    """What of a picture lies in a box."""
    height, width = pixels.shape[:2]
    return pixels[
        round(box.top * height) : round(box.bottom * height),
        round(box.left * width) : round(box.right * width),
    ]
