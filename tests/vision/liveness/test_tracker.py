"""Liveness over time: what is averaged, what is discarded, when there is no score."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from proctoring.observations import Box, Liveness
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh, hull
from proctoring.vision.liveness.scoring import LivenessScorer
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.networks import VisionModels

from ..conftest import photograph, warp
from .test_motion import read, turned_head


def brightness(pixels: Pixels, box: Box) -> float:
    """A judge with a known answer, so that the averaging can be checked."""
    return (
        float(pixels[int(box.top) : int(box.bottom), int(box.left) : int(box.right)].mean()) / 255
    )


SCORER = LivenessScorer("brightness", brightness)


@pytest.fixture(scope="module")
def close_up() -> Pixels:
    """The astronaut's face, 130 pixels wide."""
    return warp(photograph("astronaut"), shift=(110.0, 120.0), scale=1.5)


@pytest.fixture(scope="module")
def mesh(vision_models: VisionModels, close_up: Pixels) -> Mesh:
    return read(vision_models, [close_up])[0]


def look(
    watch: LivenessTracker, time: float, pixels: Pixels, mesh: Mesh, track: int = 1
) -> Liveness | str:
    watch.update(time, track, mesh)
    life, unread = watch.score(time, pixels, track, mesh)
    if life is None:
        assert unread is not None
        assert unread.what == "liveness"
        return unread.reason
    assert unread is None
    return life


def test_there_is_a_mean_score_from_the_third_sample_on(close_up: Pixels, mesh: Mesh) -> None:
    watch = LivenessTracker(SCORER)
    lives = [look(watch, time, close_up, mesh) for time in (0.0, 1.0, 2.0)]

    scores = [life.score for life in lives if isinstance(life, Liveness)]
    assert [score is None for score in scores] == [True, True, False]


def test_the_score_is_the_mean_of_the_last_five_samples(close_up: Pixels, mesh: Mesh) -> None:
    watch = LivenessTracker(SCORER)
    darker = np.asarray(close_up // 2, np.uint8)
    lives = [
        look(watch, float(time), darker if time >= 5 else close_up, mesh) for time in range(10)
    ]

    last = lives[-1]
    assert isinstance(last, Liveness)
    assert last.score == pytest.approx(SCORER.score(darker, hull(mesh)))
    assert last.samples == 5


def test_a_break_in_tracking_keeps_the_samples(close_up: Pixels, mesh: Mesh) -> None:
    watch = LivenessTracker(SCORER)
    lives = [look(watch, time, close_up, mesh, track=int(time)) for time in (1.0, 2.0, 3.0)]

    last = lives[-1]
    assert isinstance(last, Liveness)
    assert (last.track, last.samples) == (3, 3)
    assert last.score is not None


def test_old_samples_do_not_count(close_up: Pixels, mesh: Mesh) -> None:
    watch = LivenessTracker(SCORER)
    lives = [look(watch, time, close_up, mesh) for time in (0.0, 1.0, 2.0, 30.0)]

    last = lives[-1]
    assert isinstance(last, Liveness)
    assert (last.score, last.samples) == (None, 1)


def test_another_person_resets_the_tracker(close_up: Pixels, mesh: Mesh) -> None:
    watch = LivenessTracker(SCORER)
    for time in range(5):
        look(watch, float(time), close_up, mesh)
    watch.reset()
    life = look(watch, 5.0, close_up, mesh, track=2)

    assert isinstance(life, Liveness)
    assert (life.track, life.score, life.samples) == (2, None, 1)


def test_without_networks_the_cues_alone_are_reported(close_up: Pixels, mesh: Mesh) -> None:
    watch = LivenessTracker(None)
    lives = [look(watch, time / 5, close_up, mesh) for time in range(52)]

    last = lives[-1]
    assert isinstance(last, Liveness)
    assert last.score is None
    assert last.networks == ""
    assert last.motion == 0


def test_a_small_face_is_not_scored(close_up: Pixels, mesh: Mesh) -> None:
    half = np.asarray(cv2.resize(close_up, None, fx=0.5, fy=0.5), np.uint8)
    assert (
        look(LivenessTracker(SCORER), 0.0, half, np.asarray(mesh / 2, np.float32))
        == "face smaller than 80 pixels"
    )


def test_a_dark_face_is_not_scored(close_up: Pixels, mesh: Mesh) -> None:
    dark = np.asarray(close_up / 14, np.uint8)
    assert look(LivenessTracker(SCORER), 0.0, dark, mesh) == "face too dark"


@pytest.mark.parametrize("degrees", [-50, 50])
def test_a_face_turned_away_is_not_scored(close_up: Pixels, mesh: Mesh, degrees: float) -> None:
    turned = turned_head(mesh, degrees)
    assert look(LivenessTracker(SCORER), 0.0, close_up, turned) == "face turned away"
