"""What a sender is told of capture times that cannot be used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctoring.session.capture_times import CaptureTimeCheck

EPOCH = 1_700_000_000.0


def told(stamp: Callable[[float], float], seconds: float = 70.0) -> list[str]:
    """Everything that is said of a client that stamps frames so, ten a second."""
    check = CaptureTimeCheck()
    texts = (check.add(int(stamp(n / 10)), n / 10) for n in range(int(seconds * 10)))
    return [text for text in texts if text]


WRONG: dict[str, tuple[Callable[[float], float], str]] = {
    "seconds": (lambda t: EPOCH + t, "seem to be seconds"),
    "milliseconds": (lambda t: (EPOCH + t) * 1e3, "seem to be milliseconds"),
    "milliseconds of a page": (lambda t: t * 1e3, "seem to be milliseconds"),
    "nanoseconds": (lambda t: (EPOCH + t) * 1e9, "seem to be nanoseconds"),
    "one and the same": (lambda _: EPOCH * 1e6, "all capture times of 5 s are"),
    "begins again and again": (lambda t: t % 8 * 1e6, "jumped by more than 5 s 4 times"),
    "half as fast": (lambda t: (EPOCH + t / 2) * 1e6, "advance 0.5 s a second"),
    "90 kHz": (lambda t: t * 90_000, "advance 0.09 s a second"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_clock_is_told_once(case: str) -> None:
    stamp, words = WRONG[case]
    (text,) = told(stamp)
    assert words in text


def test_wrong_units_are_told_within_seconds() -> None:
    assert told(lambda t: t * 1e3, seconds=6.0)


def test_a_good_clock_is_told_nothing() -> None:
    assert told(lambda t: (EPOCH + t) * 1e6) == []


def test_a_computer_that_slept_is_told_nothing() -> None:
    assert told(lambda t: (EPOCH + t + (3600 if t > 20 else 0)) * 1e6, seconds=200.0) == []


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1.0), st.floats(0.0, 4.0)),
        min_size=20,
        max_size=200,
    )
)
def test_a_bad_network_is_told_nothing(frames: list[tuple[float, float]]) -> None:
    """Frames of a good clock, late by up to 4 s, in order."""
    check = CaptureTimeCheck()
    capture = arrival = 0.0
    for step, late in frames:
        capture += step
        arrival = max(arrival, capture + late)
        assert not check.add(int((EPOCH + capture) * 1e6), arrival)
