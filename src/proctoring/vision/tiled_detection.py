"""Detects small faces: the face detector runs on the whole picture and on overlapping tiles of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from proctoring.models.network import Network
from proctoring.observations import Box
from proctoring.vision.face_detection import detect_faces
from proctoring.vision.frame import Pixels

_TILE_GROWTH = 4 / 3
"""Tiles are this much larger than their share, so that a face cut by one is whole in the next."""


def detect_faces_in_tiles(network: Network, pixels: Pixels, cuts: int) -> tuple[Box, ...]:
    """Detect all faces. Boxes are shares (0 to 1) of width and height; a face may come twice.

    Args:
        network: the face detector.
        pixels: the picture.
        cuts: the largest number of tiles along each side; 1: the whole picture only. Faces are found
            reliably from 15 pixels wide where the tile is 192 wide: with 1, 2 and 3 cuts that is 8, 5
            and 3.5% of the picture's longer side (docs/accuracy.md).
    """
    height, width = pixels.shape[:2]
    boxes = []
    for tile, left, top in _tiles(pixels, cuts):
        for face in detect_faces(network, tile):
            box = face.box
            boxes.append(
                Box(
                    (box.left + left) / width,
                    (box.top + top) / height,
                    (box.right + left) / width,
                    (box.bottom + top) / height,
                )
            )
    return tuple(boxes)


def _tiles(pixels: Pixels, cuts: int) -> Iterator[tuple[Pixels, int, int]]:
    """The whole picture, its 4 tiles, its 9 tiles and so on, each with its left and top in pixels."""
    for number in range(1, cuts + 1):
        for left, right in _intervals(pixels.shape[1], number):
            for top, bottom in _intervals(pixels.shape[0], number):
                yield np.ascontiguousarray(pixels[top:bottom, left:right]), left, top


def _intervals(length: int, number: int) -> Iterator[tuple[int, int]]:
    """Start and end of ``number`` overlapping parts of a side."""
    size = min(length, max(1, round(length / number * (_TILE_GROWTH if number > 1 else 1))))
    for index in range(number):
        start = round(index * (length - size) / max(1, number - 1))
        yield start, start + size
