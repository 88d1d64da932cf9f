"""Media time from stamps of every kind, as tables: (arrival, capture) -> media time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proctoring.session.clock import MAX_DRIFT, MAX_STEP, MIN_STEP, MediaClock

EPOCH = 1_700_000_000.0
"""The client's clock, in seconds, when its first frame was captured."""

Message = tuple[float, float | None]
"""Arrival in seconds; capture in seconds after ``EPOCH``, or ``None`` for no stamp."""


def times(messages: list[Message]) -> list[float]:
    clock = MediaClock()
    return [clock.stamp(arrival, stamped(capture)) for arrival, capture in messages]


def stamped(capture: float | None) -> int | None:
    return None if capture is None else max(0, round((EPOCH + capture) * 1e6))


TABLE: dict[str, tuple[list[Message], list[float]]] = {
    "stamps rule, whatever the network does": (
        [(100, 0), (100.3, 0.1), (100.31, 0.2), (100.32, 0.3), (100.4, 0.4)],
        [0, 0.1, 0.2, 0.3, 0.4],
    ),
    "a late burst is timed as it was captured": (
        [(100, 0), (104.0, 0.5), (104.0, 1.0), (104.0, 4.0)],
        [0, 0.5, 1.0, 4.0],
    ),
    "without stamps, arrival rules": ([(7, None), (7.1, None), (9, None)], [0, 0.1, 2.0]),
    "stamps that stand still: arrival rules": (
        [(0, 0), (0.1, 0), (0.2, 0), (0.3, 0)],
        [0, 0.1, 0.2, 0.3],
    ),
    "stamps that run backwards: arrival rules": (
        [(0, 0), (0.1, -10), (0.2, -20), (0.3, -30)],
        [0, 0.1, 0.2, 0.3],
    ),
    "one stamp far ahead is not believed, and the next is": (
        [(0, 0), (0.1, 0.1), (0.2, 86_400.2), (0.3, 86_400.3), (0.4, 86_400.4)],
        [0, 0.1, 0.2, 0.3, 0.4],
    ),
    "a clock set back an hour goes on from there": (
        [(0, 0), (0.1, 0.1), (0.2, -3599.8), (0.4, -3599.7), (0.5, -3599.6)],
        [0, 0.1, 0.2, 0.3, 0.4],
    ),
    "a page reloaded, whose clock begins at nothing": (
        [(0, 0), (0.1, 0.1), (3.1, -EPOCH), (3.2, -EPOCH + 0.1)],
        [0, 0.1, 3.1, 3.2],
    ),
    "each frame sent twice": (
        [(0, 0), (0.05, 0), (0.1, 0.1), (0.15, 0.1), (0.2, 0.2)],
        [0, 0.05, 0.1, 0.15, 0.2],
    ),
    "two frames in the wrong order": (
        [(0, 0), (0.2, 0.2), (0.201, 0.1), (0.3, 0.3)],
        [0, 0.2, 0.201, 0.3],
    ),
    "timed and untimed messages mixed": (
        [(50, 0), (50.1, None), (50.2, 0.2), (50.3, None), (50.4, 0.4)],
        [0, 0.1, 0.2, 0.3, 0.4],
    ),
    "stamps that begin late in the session": (
        [(50, None), (50.1, None), (50.2, 1000), (50.3, 1000.1)],
        [0, 0.1, 0.2, 0.3],
    ),
    "a minute without frames": ([(0, 0), (60, 60), (60.1, 60.1)], [0, 60, 60.1]),
    "a stamp further ahead than a stalled network explains": (
        [(0, 0), (0.1, MAX_STEP + 0.2)],
        [0, 0.1],
    ),
    "a stamp as far ahead as a stalled network explains": (
        [(0, 0), (0.1, MAX_STEP)],
        [0, MAX_STEP],
    ),
    "arrivals at one moment still rise": (
        [(0, None), (0, None), (0, None)],
        [0, MIN_STEP, 2 * MIN_STEP],
    ),
    "an arrival clock that runs back counts as standing still": (
        [(10, None), (9, None), (10.5, None)],
        [0, MIN_STEP, 0.5 + MIN_STEP],
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_media_time(case: str) -> None:
    messages, expected = TABLE[case]
    assert times(messages) == pytest.approx(expected, abs=1e-6)


def test_a_clock_that_lags_for_long_counts_from_where_it_is() -> None:
    # Set back by 3 s: passed over at first, and believed again, from a new origin, after MAX_STEP.
    before: list[Message] = [(i / 10, i / 10) for i in range(10)]
    after: list[Message] = [(i / 10, i / 10 - 3) for i in range(10, 100)]
    # Now arrivals stall while captures go on: only believed stamps tell the time right.
    stalled: list[Message] = [(12.0, 6.9 + i / 10) for i in range(1, 11)]
    found = times(before + after + stalled)
    assert found[99] == pytest.approx(9.9, abs=0.1)
    assert found[109] - found[100] == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize("speed", [0.0, 0.1, 10.0])
def test_no_client_gets_further_from_the_servers_time_than_the_bound(speed: float) -> None:
    found = times([(i / 10, i / 10 * speed) for i in range(6000)])
    real = 599.9
    assert abs(found[-1] - real) <= MAX_DRIFT + MAX_STEP + 1e-6


def test_silence_is_extrapolated_and_later_stamps_lie_after_it() -> None:
    clock = MediaClock()
    clock.stamp(0, stamped(0))
    clock.stamp(1, stamped(1))
    assert clock.extrapolate(4) == pytest.approx(4)
    # Captured during the silence, arrived after it: not before what was already said.
    late = [clock.stamp(4.0, stamped(capture)) for capture in (1.1, 2.0, 3.9)]
    assert 4 < late[0] < late[1] < late[2] < 4.01
    assert clock.stamp(4.2, stamped(4.2)) == pytest.approx(4.2)


def test_before_the_first_media_there_is_no_time() -> None:
    clock = MediaClock()
    assert not clock.started
    assert clock.extrapolate(1000) == 0
    assert clock.stamp(2000, stamped(5)) == 0
    assert clock.started


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e6),
            st.none() | st.integers(0, 2**64 - 1),
        ),
        max_size=50,
    )
)
def test_whatever_comes_media_time_rises_and_stays_in_bounds(
    messages: list[tuple[float, int | None]],
) -> None:
    clock = MediaClock()
    arrivals: list[float] = []
    last = -1.0
    for arrival, capture in messages:
        found = clock.stamp(arrival, capture)
        arrivals.append(arrival)
        real = max(arrivals) - arrivals[0]
        assert found > last
        assert abs(found - real) <= MAX_DRIFT + MIN_STEP * len(arrivals)
        last = found
