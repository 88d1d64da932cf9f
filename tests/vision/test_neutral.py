"""The neutral pose, and that a candidate cannot manipulate it."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from proctoring.observations import HeadPose
from proctoring.vision.neutral import FRONTAL, LEARNING_SECONDS, MAX_DEVIATION, NeutralPose

AHEAD = HeadPose(yaw=4.0, pitch=-6.0, roll=2.0)


def hold(
    neutral: NeutralPose, pose: HeadPose, begin: float, seconds: float, jitter: float = 0.5
) -> float:
    """Hold a pose with a little noise; the time at its end."""
    noise = random.Random(round(begin * 10))
    count = round(seconds * 10)
    for index in range(count):
        neutral.update(
            begin + index / 10,
            HeadPose(
                pose.yaw + noise.gauss(0, jitter),
                pose.pitch + noise.gauss(0, jitter),
                pose.roll + noise.gauss(0, jitter),
            ),
        )
    return begin + count / 10


def turned(pose: HeadPose, yaw: float = 0.0, pitch: float = 0.0) -> HeadPose:
    return HeadPose(pose.yaw + yaw, pose.pitch + pitch, pose.roll)


def test_nothing_is_read_before_neutral_is_known() -> None:
    neutral = NeutralPose()
    hold(neutral, AHEAD, 0.0, 0.5)

    assert neutral.relative(AHEAD) is None


def test_a_resting_head_teaches_its_own_neutral_within_the_learning_time() -> None:
    neutral = NeutralPose()
    hold(neutral, AHEAD, 0.0, LEARNING_SECONDS)

    assert neutral.learned
    turn = neutral.relative(turned(AHEAD, yaw=20))
    assert turn is not None
    assert turn.yaw == pytest.approx(20, abs=1)
    assert turn.pitch == pytest.approx(0, abs=1)
    assert turn.roll == pytest.approx(0, abs=1)


def test_single_wild_frames_do_not_move_neutral() -> None:
    neutral = NeutralPose()
    for index in range(15):
        wild = index % 4 == 3
        neutral.update(index / 10, turned(AHEAD, yaw=70 if wild else 0))

    assert neutral.learned
    assert neutral.pose is not None
    assert neutral.pose.yaw == pytest.approx(AHEAD.yaw, abs=1)


def test_nothing_is_learned_from_a_moving_head_and_the_frontal_pose_stands_in() -> None:
    neutral = NeutralPose()
    for index in range(40):
        neutral.update(index / 10, turned(AHEAD, yaw=15 if index // 4 % 2 else -15))

    assert not neutral.learned
    assert neutral.pose == FRONTAL


@pytest.mark.parametrize("side", [1, -1])
def test_looking_away_from_the_first_second_is_not_learned_as_neutral(side: int) -> None:
    neutral = NeutralPose()
    away = HeadPose(side * (MAX_DEVIATION.yaw + 12), -4.0, 0.0)
    end = hold(neutral, away, 0.0, 60.0)
    turn = neutral.relative(away)
    assert turn is not None
    assert turn.yaw * side > 25  # away all the minute long

    hold(neutral, AHEAD, end, 2 * LEARNING_SECONDS)
    assert neutral.learned
    turn = neutral.relative(AHEAD)
    assert turn is not None
    assert abs(turn.yaw) < 2


def test_neutral_learned_askew_is_corrected_towards_the_pose_held_most() -> None:
    neutral = NeutralPose()
    end = hold(neutral, turned(AHEAD, yaw=12), 0.0, 5.0)
    first = neutral.relative(AHEAD)
    assert first is not None
    assert first.yaw == pytest.approx(-12, abs=1)

    hold(neutral, AHEAD, end, 120.0)
    later = neutral.relative(AHEAD)
    assert later is not None
    assert abs(later.yaw) < 1


def test_looks_aside_do_not_move_neutral_while_most_of_the_time_is_ahead() -> None:
    neutral = NeutralPose()
    end = hold(neutral, AHEAD, 0.0, 10.0)
    for _ in range(15):  # a third of the time 12 degrees aside
        end = hold(neutral, turned(AHEAD, yaw=12), end, 4.0)
        end = hold(neutral, AHEAD, end, 8.0)

    turn = neutral.relative(AHEAD)
    assert turn is not None
    assert abs(turn.yaw) < 1.5


@pytest.mark.parametrize("rate", [1, 2, 5, 30])
def test_neutral_is_learned_at_any_rate(rate: int) -> None:
    neutral = NeutralPose()
    for index in range(max(5, 2 * rate)):
        neutral.update(index / rate, AHEAD)

    assert neutral.learned


def test_one_review_moves_neutral_by_no_more_than_a_degree() -> None:
    neutral = NeutralPose()
    end = hold(neutral, turned(AHEAD, yaw=15), 0.0, 2.0)
    yaws = []
    for _ in range(40):
        end = hold(neutral, AHEAD, end, 5.0)
        assert neutral.pose is not None
        yaws.append(neutral.pose.yaw)

    steps = [abs(after - before) for before, after in pairwise(yaws)]
    assert max(steps) <= 1.0 + 1e-9
    assert yaws[-1] == pytest.approx(AHEAD.yaw, abs=1)
