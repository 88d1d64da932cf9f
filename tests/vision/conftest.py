"""Real pixels and real networks for the tests of vision."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data

from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels


@pytest.fixture(scope="session")
def vision_models(vision_models: VisionModels) -> VisionModels:
    """The real face networks alone; object detectors have tests of their own."""
    return replace(vision_models, objects=None)


@pytest.fixture(scope="session")
def astronaut() -> Pixels:
    """(480, 640, 3): a public-domain photograph of one person, her face at (290, 145), 90 wide."""
    return warp(photograph("astronaut"), shift=(64.0, 20.0))


def photograph(name: str) -> Pixels:
    """One of scikit-image's public-domain photographs."""
    return np.asarray(getattr(skimage.data, name)(), np.uint8)


def warp(
    picture: Pixels,
    *,
    shift: tuple[float, float] = (0.0, 0.0),
    turn: float = 0.0,
    scale: float = 1.0,
    size: tuple[int, int] = (640, 480),
) -> Pixels:
    """The picture turned (degrees, against the clock) and scaled about its middle, then moved."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, scale)
    matrix[:, 2] += np.array(shift)
    return np.asarray(
        cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(90, 90, 90)),
        np.uint8,
    )
