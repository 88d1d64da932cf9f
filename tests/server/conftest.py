"""Real models, real pixels, a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from skimage import data
from tests.server.live import Live, running

from proctoring.vision.networks import VisionModels


@pytest.fixture(scope="session")
def live(vision_models: VisionModels) -> Iterator[Live]:
    """A server that many tests share, each with sessions of its own."""
    with running(vision_models) as server:
        yield server


@pytest.fixture
def session_id(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    return f"{Path(request.node.path).stem}.{name}"[:200]


@pytest.fixture(scope="session")
def face_jpeg() -> bytes:
    """A 640 x 480 picture with one real face."""
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[:, 80:560] = photograph("astronaut")[:480, 16:496]
    return bytes(simplejpeg.encode_jpeg(picture, quality=85))


@pytest.fixture(scope="session")
def empty_jpeg() -> bytes:
    """A picture with nobody in it."""
    return bytes(simplejpeg.encode_jpeg(photograph("coffee"), quality=85))


def photograph(name: str) -> NDArray[np.uint8]:
    """One of scikit-image's photographs."""
    return np.ascontiguousarray(getattr(data, name)(), np.uint8)
