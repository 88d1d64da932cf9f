"""How far gaze and head may move until the next frame."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proctoring.judgement.recent_angles import (
    FACTOR,
    MAX_GAP,
    MEASUREMENTS,
    MIN_REACH,
    RecentAngles,
)
from proctoring.observations import Candidate, FrameObservation, Gaze, HeadPose


def seen(time: float, yaw: float = 0.0, *, head: float = 0.0) -> FrameObservation:
    candidate = Candidate(1, HeadPose(head, 0, 0), Gaze(yaw, None, 0.9), eyes_open=True)
    return FrameObservation(time, 640, 480, faces=(), candidate=candidate, objects=None)


def added(*frames: FrameObservation) -> RecentAngles:
    recent = RecentAngles()
    for frame in frames:
        recent.add(frame)
    return recent


STILL = [seen(n / 10) for n in range(MEASUREMENTS)]
LAST = (MEASUREMENTS - 1) / 10


def test_the_largest_step_counts_and_landmarks_always_tremble() -> None:
    moved = added(*STILL[:-2], seen(LAST - 0.1, 6.0), seen(LAST, 5.0, head=1.0))
    assert moved.reach == (FACTOR * 6.0, MIN_REACH, MIN_REACH, MIN_REACH)
    for n in range(1, MEASUREMENTS):
        moved.add(seen(LAST + n / 10, 5.0, head=1.0))
    assert moved.reach == (MIN_REACH,) * 4


def test_too_few_measurements_say_nothing() -> None:
    assert added(*STILL[1:]).reach is None
    assert added(*STILL).reach is not None


def test_what_is_carried_over_is_no_measurement() -> None:
    carried = replace(seen(LAST, 9.0), carried_since=0.0)
    assert added(*STILL[1:], carried).reach is None


@pytest.mark.parametrize(
    "later",
    [
        seen(LAST + MAX_GAP + 0.1),
        seen(0.0),
        replace(seen(LAST + 0.1), candidate=None),
        replace(seen(LAST + 0.1), candidate=Candidate(1, HeadPose(0, 0, 0), None, eyes_open=False)),
    ],
    ids=["a gap", "time that goes back", "no face", "no gaze"],
)
def test_they_begin_anew_after(later: FrameObservation) -> None:
    assert added(*STILL, later).reach is None
