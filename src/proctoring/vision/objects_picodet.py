"""PP-PicoDet-S: distances to the four sides as distributions, on four grids.

Source of the constants: PaddleDetection's ``picodet_s_320_coco`` configuration (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.models.runtime import load_network
from proctoring.vision.frame import Pixels
from proctoring.vision.proposals import Proposals, Propose, above_min_score, suppress_duplicates
from proctoring.vision.steps import Steps

_SIDE = 320
"""Width and height of the input, in pixels."""
_STRIDES = (8, 16, 32, 64)
"""Network pixels per cell of each grid."""
_BINS = 8
"""Bins of the distribution of a distance."""
_MAX_OVERLAP = 0.6
"""Intersection over union above which two boxes are one object."""
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
"""Of R, G and B in ImageNet, 0 to 255."""


def load_picodet(path: Path, columns: Sequence[int]) -> Propose:
    """Load the network from its ONNX file.

    Args:
        path: the file.
        columns: indices of ``WORDS`` among the network's classes.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    network = load_network(path)
    centres, strides = picodet_cells()

    def propose(pixels: Pixels) -> Steps[Proposals]:
        height, width = pixels.shape[:2]
        picture = cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        picture = (picture.astype(np.float32) - _MEAN) / _DEVIATION
        yield
        outputs = network(np.ascontiguousarray(picture.transpose(2, 0, 1)[np.newaxis]))
        half = len(_STRIDES)
        scores = np.concatenate([grid[0][:, list(columns)] for grid in outputs[:half]])
        found, classes = above_min_score(scores)
        bins = np.concatenate([grid[0] for grid in outputs[half:]])[found]
        sides = distances(bins) * strides[found]
        boxes = np.concatenate([centres[found] - sides[:, :2], centres[found] + sides[:, 2:]], 1)
        boxes *= np.array([width, height, width, height], np.float32) / _SIDE
        return suppress_duplicates(
            boxes,
            scores[found, classes],
            classes,
            overlap=_MAX_OVERLAP,
            width=width,
            height=height,
        )

    return propose


def picodet_cells() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(2125, 2) centres of the cells in network pixels, and (2125, 1) pixels per cell."""
    centres, strides = [], []
    for stride in _STRIDES:
        along = (np.arange(-(-_SIDE // stride)) + 0.5) * stride
        centres.append(np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2))
        strides.append(np.full((len(centres[-1]), 1), stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def distances(bins: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 4 x 8) logits to (n, 4) expected distances to left, top, right, bottom, in cells."""
    logits = bins.reshape(-1, 4, _BINS)
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights /= weights.sum(axis=-1, keepdims=True)
    expected: NDArray[np.float32] = weights @ np.arange(_BINS, dtype=np.float32)
    return expected
