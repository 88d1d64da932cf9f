"""Blinks counted from the lids' distance."""

from __future__ import annotations

import pytest

from proctoring.vision.liveness.blinks import Blinks


def watch(shut: list[tuple[float, float]], seconds: float, rate: float = 10.0) -> float | None:
    """Blinks a minute of eyes that are shut from each first to each second time."""
    blinks = Blinks()
    for n in range(int(seconds * rate) + 1):
        time = n / rate
        closed = any(start <= time < end for start, end in shut)
        blinks.update(time, 0.08 if closed else 0.3)
    return blinks.per_minute


def test_nothing_is_said_before_twenty_seconds() -> None:
    assert watch([(3.0, 3.2)], 19.0) is None


@pytest.mark.parametrize(
    ("shut", "expected"),
    [
        ([], 0.0),
        ([(4.0, 4.1)], 3.0),  # one frame of ten a second
        ([(4.0, 4.2), (12.0, 12.3)], 6.0),
        ([(5.0, 7.0)], 0.0),  # a look down, no blink
    ],
)
def test_short_closings_count_and_long_ones_do_not(
    shut: list[tuple[float, float]], expected: float
) -> None:
    assert watch(shut, 20.0) == pytest.approx(expected)


def test_frames_too_rare_for_blinks_say_nothing() -> None:
    assert watch([], 30.0, rate=3.0) is None


def test_a_stretch_without_pictures_is_not_one_without_blinks() -> None:
    blinks = Blinks()
    for n in range(210):
        blinks.update(n / 10, 0.3)
    assert blinks.per_minute == 0.0
    blinks.update(30.0, 0.3)
    assert blinks.per_minute is None


def test_old_blinks_are_forgotten() -> None:
    assert watch([(4.0, 4.2)], 40.0) == 0.0


def test_narrow_eyes_blink_as_well() -> None:
    blinks = Blinks()
    for n in range(201):
        blinks.update(n / 10, 0.04 if n in (50, 51) else 0.14)
    assert blinks.per_minute == pytest.approx(3.0)


def test_frames_in_which_the_eyes_have_not_changed_count_as_looked_at() -> None:
    every, some = Blinks(), Blinks()
    for frame in range(250):
        aperture = 0.08 if frame % 50 == 20 else 0.3
        every.update(frame / 10, aperture)
        # A blink is a change; eyes at rest are measured twice a second.
        if frame % 5 == 0 or frame % 50 in (20, 21):
            some.update(frame / 10, aperture)
        else:
            some.update_unchanged(frame / 10)
    assert some.count == every.count == 5
    assert some.per_minute == every.per_minute
    assert every.per_minute is not None


def test_no_frame_is_unchanged_before_the_first() -> None:
    blinks = Blinks()
    blinks.update_unchanged(1.0)
    assert blinks.per_minute is None
