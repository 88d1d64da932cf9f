"""Attacks staged with a public-domain photograph, through everything that judges a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import load_policy
from proctoring.models.store import ModelStore
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser, VisionModels, load_vision_models
from proctoring.vision.frame import Frame, Pixels

from ..vision.conftest import photograph, warp
from ..vision.moving import turned_print, with_noise

RATE = 5
FACE = (272.0, 175.0)
"""The middle of the face in ``photo``."""

PictureAt = Callable[[int], Pixels]


@pytest.fixture(scope="module")
def models(model_store: ModelStore) -> VisionModels:
    """Faces alone: what is tested here must hold without the passive networks, as on a machine
    that cannot have them, and needs no objects."""
    loaded = load_vision_models(model_store, object_model="none")
    return VisionModels(loaded.faces, None, loaded.capabilities)


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """(480, 640, 3) a photograph, the face about 115 pixels wide."""
    astronaut = photograph("astronaut")
    return warp(astronaut, shift=(64.0, 80.0), scale=1.25)


def spoofs(models: VisionModels, picture_at: PictureAt, seconds: float) -> list[IncidentChange]:
    """The spoof incidents that start in a session of such pictures."""
    pipeline = Pipeline(load_policy("exam"), VisionAnalyser(models, rate=RATE))
    return [change for change in _changes(pipeline, picture_at, seconds) if change.alerts]


def _changes(pipeline: Pipeline, picture_at: PictureAt, seconds: float) -> Iterator[IncidentChange]:
    for n in range(int(seconds * RATE)):
        _, changes = pipeline.analyse(Frame(n / RATE, picture_at(n)))
        yield from (change for change in changes if change.kind == "face.spoof")


def swaying(photo: Pixels, seed: int = 1) -> PictureAt:
    """The photograph carried about, never twice the same way, before a real camera."""
    path = np.random.default_rng(seed).normal(0, 1, (2, 400)).cumsum(axis=1)

    def picture(n: int) -> Pixels:
        x, y = 3 * path[:, n]
        moved = warp(photo, shift=(float(x), float(y)))
        return with_noise(moved, np.random.default_rng(n), 1.5)

    return picture


def test_a_still_photo_fed_as_the_camera(models: VisionModels, photo: Pixels) -> None:
    (change,) = spoofs(models, lambda _: photo, 17)
    assert "one and the same picture since the session began" in change.reason


def test_a_still_photo_with_a_cameras_noise(models: VisionModels, photo: Pixels) -> None:
    generator = np.random.default_rng(0)
    (change,) = spoofs(models, lambda _: with_noise(photo, generator, 2), 20)
    assert "the head moved less than" in change.reason


def test_a_flat_print_turned_before_the_camera(models: VisionModels, photo: Pixels) -> None:
    generator = np.random.default_rng(0)

    def turning(n: int) -> Pixels:
        yaw = 36 * float(np.sin(2 * np.pi * n / RATE / 6))
        return with_noise(turned_print(photo, yaw, yaw / 4, FACE), generator, 1.5)

    (change,) = spoofs(models, turning, 14)
    assert "turns as a flat sheet does" in change.reason


def test_a_loop_fed_as_the_camera(models: VisionModels, photo: Pixels) -> None:
    length = 9 * RATE
    once = swaying(photo)
    changes = spoofs(models, lambda n: once(n % length), 26)
    assert any("the picture repeats that of" in change.reason for change in changes)


def test_movement_alone_does_not_accuse(models: VisionModels, photo: Pixels) -> None:
    # Without networks a photo that is only carried about cannot be told from a face: said nowhere.
    assert spoofs(models, swaying(photo), 20) == []


@pytest.mark.parametrize("gamma", [1.0, 2.0, 3.0])
def test_a_dim_room_raises_nothing(models: VisionModels, photo: Pixels, gamma: float) -> None:
    table = np.asarray(255 * (np.arange(256) / 255) ** gamma, np.uint8)
    once = swaying(photo, seed=2)
    assert spoofs(models, lambda n: np.asarray(cv2.LUT(once(n), table), np.uint8), 12) == []
