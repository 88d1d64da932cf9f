from __future__ import annotations

import random

import pytest

from proctoring.livekit.frame_rate import FrameRateLimiter


def taken(pace: FrameRateLimiter, times: list[float]) -> list[float]:
    return [time for time in times if pace.accept(round(time * 1e6))]


@pytest.mark.parametrize("camera", [10, 12, 15, 24, 25, 29.97, 30, 60])
@pytest.mark.parametrize("wanted", [1.0, 4.0, 10.0])
def test_any_camera_is_brought_to_the_wanted_rate(camera: float, wanted: float) -> None:
    times = [number / camera for number in range(round(camera * 20))]
    assert len(taken(FrameRateLimiter(wanted), times)) == pytest.approx(
        20 * wanted, rel=0.03, abs=1
    )


def test_a_camera_slower_than_wanted_is_taken_whole() -> None:
    times = [number / 5 for number in range(100)]
    assert taken(FrameRateLimiter(10), times) == times


def test_jitter_does_not_halve_the_rate() -> None:
    shaken = random.Random(1)
    times = [number / 10 + shaken.uniform(-0.008, 0.008) for number in range(300)]
    assert len(taken(FrameRateLimiter(10), times)) > 290


def test_after_a_pause_there_is_no_burst() -> None:
    pace = FrameRateLimiter(10)
    taken(pace, [0.0, 0.1])
    assert len(taken(pace, [60 + number / 30 for number in range(30)])) == 10


def test_a_clock_that_jumps_back_does_not_stop_the_stream() -> None:
    pace = FrameRateLimiter(10)
    taken(pace, [100.0, 100.1])
    assert len(taken(pace, [number / 30 for number in range(30)])) == 10


def test_the_rate_may_change_meanwhile() -> None:
    pace = FrameRateLimiter(10)
    taken(pace, [number / 30 for number in range(30)])
    pace.set_rate(2)
    assert len(taken(pace, [1 + number / 30 for number in range(150)])) in (10, 11)
