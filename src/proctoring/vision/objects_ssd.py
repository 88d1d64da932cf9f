"""SSD-MobileNetV2 of TensorFlow's detection zoo, with preprocessing and suppression done here.

Source of the constants: the model's ``pipeline.config`` (ssd_mobilenet_v2_coco_2018_03_29,
Apache-2.0); the anchors computed here were compared with those of the graph.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.models.ssd_graph import SIDE, load_ssd_parts
from proctoring.vision.frame import Pixels
from proctoring.vision.proposals import (
    COCO_91,
    Proposals,
    Propose,
    above_min_score,
    suppress_duplicates,
)
from proctoring.vision.steps import Steps

_CODE_SCALES = np.array([10.0, 10.0, 5.0, 5.0], np.float32)
"""Divisors of the box codes y, x, height, width."""
_MAX_OVERLAP = 0.6
"""Intersection over union above which two boxes are one object."""
_GRIDS = (19, 10, 5, 3, 2, 1)
"""Cells along a side of each grid."""
_SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""Anchor scale of each grid, as a share of the picture, and of the next."""
_RATIOS = (1.0, 2.0, 0.5, 3.0, 1 / 3)
"""Width over height of anchors."""


def load_ssd(path: Path) -> Propose:
    """Load the network from its frozen graph.

    It runs in bf16 where the CPU supports that, at half the cost; all accuracy figures are of bf16.

    Raises:
        ModelUnavailableError: the file is not that graph.
    """
    parts = load_ssd_parts(path, COCO_91)
    anchors = make_anchors()

    def propose(pixels: Pixels) -> Steps[Proposals]:
        height, width = pixels.shape[:2]
        picture = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
        seen: tuple[np.ndarray, ...] = (picture[np.newaxis].astype(np.float32),)
        for part in parts:
            seen = part(*seen)
            yield
        codes, *grids = seen
        logits = np.concatenate([grid.reshape(-1, len(COCO_91)) for grid in grids])
        scores = 1 / (1 + np.exp(-logits))
        rows, classes = above_min_score(scores)
        boxes = decode_boxes(codes[0, rows, 0], anchors[rows])
        boxes *= np.array([width, height, width, height], np.float32)
        return suppress_duplicates(
            boxes,
            scores[rows, classes],
            classes,
            overlap=_MAX_OVERLAP,
            width=width,
            height=height,
        )

    return propose


def make_anchors() -> NDArray[np.float32]:
    """(1917, 4) anchors: centre y, centre x, height, width, as shares of the picture."""
    layers = []
    for layer, grid in enumerate(_GRIDS):
        scale = _SCALES[layer]
        if layer == 0:  # three smaller anchors where the cells are finest
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            between = (scale * _SCALES[layer + 1]) ** 0.5
            shapes = [*((scale, ratio) for ratio in _RATIOS), (between, 1.0)]
        sizes = np.array([(s / ratio**0.5, s * ratio**0.5) for s, ratio in shapes], np.float32)
        centres = (np.arange(grid, dtype=np.float32) + 0.5) / grid
        cells = np.stack(np.meshgrid(centres, centres, indexing="ij"), axis=-1).reshape(-1, 1, 2)
        cells = np.broadcast_to(cells, (grid * grid, len(sizes), 2))
        sizes = np.broadcast_to(sizes, cells.shape)
        layers.append(np.concatenate([cells, sizes], axis=-1).reshape(-1, 4))
    return np.concatenate(layers).astype(np.float32)


def decode_boxes(codes: NDArray[np.float32], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Box codes (y, x, height, width) against their anchors: (n, 4) left, top, right, bottom."""
    codes = codes / _CODE_SCALES
    centres = codes[:, :2] * anchors[:, 2:] + anchors[:, :2]
    halves = np.exp(codes[:, 2:]) * anchors[:, 2:] / 2
    top_left, bottom_right = centres - halves, centres + halves
    return np.stack(
        [top_left[:, 1], top_left[:, 0], bottom_right[:, 1], bottom_right[:, 0]], axis=1
    )
