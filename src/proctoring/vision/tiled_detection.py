"""Every face in one picture, small ones too: the detector looks at the whole, then at parts of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from proctoring.models.runtime import Network
from proctoring.observations import Box
from proctoring.vision.face_detection import detect_faces
from proctoring.vision.frame import Pixels

_WIDER = 4 / 3
"""Parts reach over each other by a third, so that a face cut in one is whole in the next."""


def detect_faces_in_tiles(network: Network, pixels: Pixels, cuts: int) -> tuple[Box, ...]:
    """All faces, in shares of the picture's width and height (0 to 1). One face may come twice.

    Args:
        network: the face detector.
        pixels: (height, width, 3) RGB.
        cuts: into how many parts each side is cut at most; 1: the whole alone. Faces were found
            for sure from 15 pixels wide on once their part is 192 wide: 8, 5 and 3.5% of the
            picture's longer side for 1, 2 and 3 (docs/accuracy.md).
    """
    height, width = pixels.shape[:2]
    found = []
    for part, left, top in _parts(pixels, cuts):
        for face in detect_faces(network, part):
            box = face.box
            found.append(
                Box(
                    (box.left + left) / width,
                    (box.top + top) / height,
                    (box.right + left) / width,
                    (box.bottom + top) / height,
                )
            )
    return tuple(found)


def _parts(pixels: Pixels, cuts: int) -> Iterator[tuple[Pixels, int, int]]:
    """The whole picture, its quarters, its ninths and so on, each with its left and top edge."""
    for number in range(1, cuts + 1):
        for left, right in _stretches(pixels.shape[1], number):
            for top, bottom in _stretches(pixels.shape[0], number):
                yield np.ascontiguousarray(pixels[top:bottom, left:right]), left, top


def _stretches(length: int, number: int) -> Iterator[tuple[int, int]]:
    size = min(length, max(1, round(length / number * (_WIDER if number > 1 else 1))))
    for index in range(number):
        start = round(index * (length - size) / max(1, number - 1))
        yield start, start + size
