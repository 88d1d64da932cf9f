"""When periodic work is due."""

from __future__ import annotations

import random

import pytest

from proctoring.vision.schedule import Schedule


def taken(times: list[float], period: float) -> list[float]:
    schedule = Schedule()
    return [time for time in times if schedule.start_if_due(time, period)]


@pytest.mark.parametrize("rate", [10, 12, 15, 24, 25, 29.97, 30, 60, 200])
def test_ten_runs_a_second_whatever_the_frame_rate(rate: float) -> None:
    looks = taken([index / rate for index in range(round(20 * rate))], 0.1)

    assert len(looks) == pytest.approx(200, abs=2)


def test_every_frame_of_a_slower_stream_is_used() -> None:
    times = [index / 4 for index in range(40)]

    assert taken(times, 0.1) == times


def test_jitter_does_not_lose_frames_sent_at_the_wanted_rate() -> None:
    jitter = random.Random(5)
    times = [index / 10 + jitter.uniform(-0.012, 0.012) for index in range(300)]

    assert len(taken(times, 0.1)) >= 298


def test_after_a_pause_missed_runs_are_not_made_up_for() -> None:
    looks = taken([0.0, 0.1, *(30 + index / 30 for index in range(31))], 0.1)

    assert len(looks) == 2 + 11


def test_a_clock_that_steps_back_does_not_stop_the_runs() -> None:
    schedule = Schedule()
    assert schedule.start_if_due(100.0, 0.1)

    assert schedule.is_due(3.0, 0.1)
    assert schedule.start_if_due(3.0, 0.1)
    assert not schedule.is_due(3.01, 0.1)


def test_the_period_may_change_between_runs() -> None:
    schedule = Schedule()
    times = [index / 30 for index in range(300)]
    fast = [time for time in times[:150] if schedule.start_if_due(time, 0.1)]
    slow = [time for time in times[150:] if schedule.start_if_due(time, 0.5)]

    assert len(fast) == pytest.approx(50, abs=1)
    assert len(slow) == pytest.approx(10, abs=1)
