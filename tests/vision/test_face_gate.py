"""In which frames a face is measured again."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from tests.vision.test_face_change import draw, mesh

from proctoring.observations import Attention, Gaze, HeadPose
from proctoring.vision.face_gate import (
    LEARNING_SECONDS,
    ComparedFace,
    FaceComparison,
    FaceGate,
)
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Frame, Luma
from proctoring.vision.landmarks import hull
from proctoring.vision.noise import Noise
from proctoring.vision.stages.context import Context, Latest

SCALE = 4
"""Pixels of a frame per pixel of the drawn face."""


def known_noise() -> Noise:
    noise = Noise()
    for _ in range(10):
        noise.add(1.0)
    return noise


def compared(luma: Luma, after: float = 0.2) -> str:
    """Why a face is measured that is compared with the drawn one so many seconds later."""
    return FaceComparison(ComparedFace(5.0, draw(seed=1), mesh(), 1.0)).why_measure(
        5.0 + after, luma, known_noise()
    )


def test_a_face_that_does_not_change_is_carried_over_for_half_a_second() -> None:
    assert [compared(draw(seed=n), n / 10) for n in range(1, 7)] == [""] * 4 + ["rest"] * 2


@pytest.mark.parametrize(
    "luma", [draw(iris=1.5, seed=2), draw(shut=True, seed=2), draw(shift=(9.0, 0.0), seed=2)]
)
def test_a_large_change_is_measured_at_once(luma: Luma) -> None:
    assert compared(luma, 0.1) == "change"


def test_a_small_change_is_measured_within_two_tenths_of_a_second() -> None:
    assert compared(draw(iris=0.25, seed=2), 0.1) == ""
    assert compared(draw(iris=0.25, seed=2), 0.2) == "small change"


def test_a_small_change_is_measured_at_once_where_it_may_not_wait() -> None:
    face = FaceComparison(ComparedFace(5.0, draw(seed=1), mesh(), 1.0))
    noise = known_noise()
    assert face.why_measure(5.1, draw(seed=2), noise, may_wait=False) == ""
    assert face.why_measure(5.1, draw(iris=0.25, seed=2), noise, may_wait=False) == "small change"


def test_a_slow_drift_adds_up_until_it_is_noticed() -> None:
    face = FaceComparison(ComparedFace(0.0, draw(seed=1), mesh(), 1.0))
    noise = known_noise()
    why = [face.why_measure(n / 10, draw(iris=0.25 * n, seed=n), noise) for n in range(1, 5)]
    assert why[0] == ""
    assert all(why[1:])


@pytest.mark.parametrize("after", [0.0, -1.0])
def test_time_that_goes_back_is_measured(after: float) -> None:
    assert compared(draw(seed=2), after) == "rest"


def test_before_the_noise_is_known_and_of_faces_too_small_every_frame_is_measured() -> None:
    assert (
        FaceComparison(ComparedFace(0.0, draw(), mesh(), 1.0)).why_measure(0.1, draw(), Noise())
        == "unclear"
    )
    small = FaceComparison(ComparedFace(0.0, draw(), mesh(), 0.3))
    assert small.why_measure(0.1, draw(), known_noise()) == "unclear"


def test_a_picture_full_of_noise_is_measured() -> None:
    loud = np.random.default_rng(3).normal(0, 14, draw().shape)
    noisy = np.asarray(np.clip(draw(seed=1) + loud, 0, 255), np.uint8)
    noise = Noise()
    for _ in range(40):
        noise.add(200.0)
    face = FaceComparison(ComparedFace(0.0, draw(seed=1), mesh(), 1.0))
    assert face.why_measure(0.2, noisy, noise) in ("change", "small change")


class Sitting:
    """A session whose stages found one face, drawn without changes, ten times a second."""

    def __init__(self) -> None:
        self.gate = FaceGate()
        self.times = count()

    def measure(
        self,
        *,
        track: int = 1,
        others: int = 0,
        presence: float = 0.99,
        gaze: Gaze | None = Gaze(0.0, 0.0, 0.9),  # noqa: B008  (immutable)
        eyes_open: bool | None = True,
        learning: bool = False,
    ) -> bool:
        """Measure a frame; whether it may be carried over to the next."""
        time = next(self.times) / 10
        pixels = np.repeat(draw(seed=1), SCALE, 0).repeat(SCALE, 1)[..., None].repeat(3, 2)
        face = TrackedFace(track, SCALE * mesh(), presence, hull(SCALE * mesh()))
        context = Context(Frame(time, pixels), 1.0, Latest(), learning=learning)
        context.candidate = face
        context.faces = (face,) * (1 + others)
        context.add(
            {
                "candidate": {
                    "track": track,
                    "head": HeadPose(0, 0, 0),
                    "gaze": gaze,
                    "eyes_open": eyes_open,
                }
            },
            measures_faces=True,
        )
        self.gate.remember(context)
        carried = self.gate.last
        assert carried is None or carried.time == time
        return carried is not None


@pytest.fixture
def sitting() -> Sitting:
    sitting = Sitting()
    sitting.measure()
    assert sitting.measure()
    return sitting


def test_the_first_frame_of_a_track_is_not_carried_over(sitting: Sitting) -> None:
    assert not sitting.measure(track=2)
    assert sitting.measure(track=2)


def test_what_is_in_doubt_is_not_carried_over(sitting: Sitting) -> None:
    assert not sitting.measure(others=1)
    assert not sitting.measure(presence=0.8)
    assert not sitting.measure(gaze=None)
    assert not sitting.measure(eyes_open=False)
    assert sitting.gate.why_measure(99.0, draw(), Attention.USUAL) == "unsettled"
    assert sitting.measure(eyes_open=None)


def test_while_a_baseline_is_learned_every_frame_is_measured_but_not_for_ever() -> None:
    sitting = Sitting()
    carried = [sitting.measure(learning=True) for _ in range(round(10 * LEARNING_SECONDS) + 5)]
    assert carried.index(True) == round(10 * LEARNING_SECONDS)


def test_what_is_carried_over_becomes_the_observation_of_the_next_frame(sitting: Sitting) -> None:
    last = sitting.gate.last
    assert last is not None
    frame = Frame(last.time + 0.1, np.zeros((480, 640, 3), np.uint8))
    context = Context(frame, 1.0, Latest(), last)
    context.add({"candidate": {"track": 1}})
    seen = context.observation()
    assert seen.time == frame.time
    assert seen.carried_since == last.time
    assert seen.candidate is not None
    assert seen.candidate.gaze == Gaze(0.0, 0.0, 0.9)
    assert context.measured is last
