"""Movement within a face, and none where the face moves as a whole."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from proctoring.vision.eyes import measure_eyes
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh
from proctoring.vision.liveness.inner_motion import InnerMotion
from proctoring.vision.networks import VisionModels

from .test_motion import read, turned_head

LIMIT = 0.05
"""The default policy's."""


@pytest.fixture(scope="module")
def mesh(vision_models: VisionModels, astronaut: Pixels) -> Mesh:
    return read(vision_models, [astronaut])[0]


def extent(mesh_at: Callable[[int], Mesh], seconds: float = 10.0) -> float | None:
    """What was measured after ``seconds`` at ten frames a second."""
    inner = InnerMotion()
    for n in range(round(seconds * 10) + 1):
        mesh = mesh_at(n)
        eyes = measure_eyes(mesh)
        assert eyes is not None
        inner.update(n / 10, mesh, eyes)
    return inner.extent


def carried(mesh: Mesh, n: int) -> Mesh:
    """The same face moved, turned in the picture and enlarged, all at once."""
    matrix = cv2.getRotationMatrix2D((300, 150), 8 * np.sin(n / 9), 1 + 0.1 * np.sin(n / 7))
    moved = mesh.copy()
    moved[:, :2] = mesh[:, :2] @ matrix[:, :2].T + matrix[:, 2] + 20 * np.sin(n / 5)
    return moved


def test_a_face_that_is_carried_about_moves_in_nothing(mesh: Mesh) -> None:
    found = extent(lambda n: carried(mesh, n))
    assert found is not None
    assert found < 0.001


def test_a_glance_of_the_eyes_is_seen(mesh: Mesh) -> None:
    def glancing(n: int) -> Mesh:
        moved = carried(mesh, n)
        if 50 <= n < 55:
            moved[[468, 473], 0] += 0.1 * float(np.hypot(*(mesh[133, :2] - mesh[33, :2])))
        return moved

    found = extent(glancing)
    assert found is not None
    assert found > LIMIT


def test_a_head_that_turns_a_little_is_seen(mesh: Mesh) -> None:
    found = extent(lambda n: turned_head(mesh, 5 * np.sin(n / 10)))
    assert found is not None
    assert found > LIMIT


def test_a_single_misplaced_landmark_is_not(mesh: Mesh) -> None:
    def once_wrong(n: int) -> Mesh:
        moved = carried(mesh, n)
        if n == 50:
            moved[468, 0] += 20
        return moved

    found = extent(once_wrong)
    assert found is not None
    assert found < LIMIT


def test_nothing_is_said_before_four_seconds(mesh: Mesh) -> None:
    assert extent(lambda _: mesh, seconds=3.9) is None
