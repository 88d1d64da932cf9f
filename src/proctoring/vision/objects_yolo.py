"""YOLOX and YOLO11: two families with different inputs and box codes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proctoring.models.detector_files import read_yolo11
from proctoring.models.runtime import load_compiled, load_network
from proctoring.vision.frame import Pixels
from proctoring.vision.letterbox import letterbox
from proctoring.vision.proposals import (
    Proposals,
    Propose,
    above_min_score,
    corners_of,
    suppress_duplicates,
)
from proctoring.vision.steps import Steps

_YOLOX_STRIDES = (8, 16, 32)
_YOLOX_MAX_OVERLAP = 0.45
_YOLO11_MAX_OVERLAP = 0.7


def load_yolox(path: Path, columns: Sequence[int]) -> Propose:
    """Load a YOLOX export: BGR 0 to 255 in; per cell box code, objectness and classes out.

    Args:
        path: the ONNX file.
        columns: indices of ``WORDS`` among the network's classes; -1 for classes it lacks.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    network = load_network(path)
    _, _, height, width = network.input_shapes[0]
    cells, strides = yolox_cells(width, height)

    def propose(pixels: Pixels) -> Steps[Proposals]:
        fitted = letterbox(pixels, width, height, centred=False)
        yield
        (rows,) = network(_planes(fitted.pixels[:, :, ::-1]))
        rows = rows[0]
        scores = rows[:, 4:5] * _columns(rows[:, 5:], columns)
        found, classes = above_min_score(scores)
        centres = (rows[found, :2] + cells[found]) * strides[found]
        sizes = np.exp(rows[found, 2:4]) * strides[found]
        return suppress_duplicates(
            fitted.to_picture(corners_of(centres, sizes)),
            scores[found, classes],
            classes,
            overlap=_YOLOX_MAX_OVERLAP,
            width=pixels.shape[1],
            height=pixels.shape[0],
        )

    return propose


def load_yolo11(path: Path, columns: Sequence[int]) -> Propose:
    """Load a YOLO11 export (ONNX or OpenVINO): RGB 0 to 1 in; boxes and classes in columns out.

    Args:
        path: the ONNX or .xml file.
        columns: indices of ``WORDS`` among the network's classes; -1 for classes it lacks.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    network = load_compiled(path, partial(read_yolo11, path), parameters={"family": "yolo11"})
    _, _, height, width = network.input_shapes[0]

    def propose(pixels: Pixels) -> Steps[Proposals]:
        fitted = letterbox(pixels, width, height, centred=True)
        yield
        (out,) = network(_planes(fitted.pixels) * np.float32(1 / 255))
        scores = _columns(out[0, 4:].T, columns)
        found, classes = above_min_score(scores)
        codes = out[0, :4, found]
        return suppress_duplicates(
            fitted.to_picture(corners_of(codes[:, :2], codes[:, 2:])),
            scores[found, classes],
            classes,
            overlap=_YOLO11_MAX_OVERLAP,
            width=pixels.shape[1],
            height=pixels.shape[0],
        )

    return propose


def yolox_cells(width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(n, 2) places of the cells in their grids, and (n, 1) pixels per cell, fine grids first."""
    cells, strides = [], []
    for stride in _YOLOX_STRIDES:
        columns, rows = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
        grid = np.stack([columns, rows], axis=-1).reshape(-1, 2)
        cells.append(grid)
        strides.append(np.full((len(grid), 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _columns(scores: NDArray[np.float32], columns: Sequence[int]) -> NDArray[np.float32]:
    """(n, words) scores of the words; 0 for classes that the network lacks."""
    known = np.array(columns) >= 0
    return scores[:, np.where(known, columns, 0)] * known.astype(np.float32)


def _planes(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(height, width, 3) to a contiguous (1, 3, height, width) of float32."""
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis], np.float32)
