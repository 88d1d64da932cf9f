"""Rates under load: one decision at a time."""

from __future__ import annotations

import pytest

from proctoring.session.load import (
    LOWEST_LEVEL,
    MAX_FALL,
    MAX_RISE,
    MIN_RATE,
    TARGET,
    Demand,
    Rates,
    SessionLoad,
    SessionRate,
    Slowed,
    next_rates,
)

OVERLOADED = Demand(wait=0.2, busy=1.0)
CALM = Demand(wait=0.0, busy=0.2)


def session(
    busy: float,
    *,
    turns: float = 10.0,
    rate: float = 1.0,
    limit: float = 1.0,
    own_wait: float = 0.0,
    waits: bool = False,
    suspicious: bool = False,
) -> SessionLoad:
    return SessionLoad(SessionRate(rate, limit), busy, busy, turns, own_wait, waits, suspicious)


def rates(after: Rates) -> list[float]:
    return [decided.rate for decided in after.sessions]


@pytest.mark.parametrize(
    ("level", "demand", "expected"),
    [
        (1.0, CALM, 1.0),
        (1.0, Demand(wait=0.01, busy=0.99), 1.0),  # busy, yet nobody waits
        (1.0, Demand(wait=0.3, busy=0.5), 1.0),  # frames at one moment: rates would not help
        (0.5, Demand(wait=0.0, busy=0.8), 0.5),  # neither too much nor little
        (0.06, OVERLOADED, LOWEST_LEVEL),
        (0.2, CALM, 0.2 * MAX_RISE),
        (0.9, CALM, 1.0),
    ],
)
def test_the_level_follows_demand(level: float, demand: Demand, expected: float) -> None:
    loads = [session(demand.busy / 4, rate=level, turns=10 * level) for _ in range(4)]
    assert next_rates(Rates(level), loads, demand, 1).level == pytest.approx(expected, abs=1e-3)


def test_the_level_falls_at_once_to_what_fits() -> None:
    loads = [session(0.25, turns=6.0) for _ in range(4)]  # six turns a second, ten were wanted
    after = next_rates(Rates(), loads, OVERLOADED, 1)
    assert after.level == pytest.approx(0.6 * TARGET, abs=1e-3)
    assert after.needed == pytest.approx(1 / 0.6)
    assert rates(after) == [after.level] * 4
    assert {decided.slowed for decided in after.sessions} == {Slowed.OVERLOAD}


def test_one_bad_second_costs_no_more_than_the_largest_step() -> None:
    loads = [session(0.1, turns=0.5) for _ in range(10)]
    assert next_rates(Rates(), loads, OVERLOADED, 1).level == MAX_FALL


def test_others_are_slowed_down_before_a_suspicious_session() -> None:
    loads = [session(0.25, turns=6.0, suspicious=number == 0) for number in range(4)]
    suspicious, *others = rates(next_rates(Rates(), loads, OVERLOADED, 1))
    assert suspicious == pytest.approx(2 * others[0])
    assert MIN_RATE < others[0] < 0.6 * TARGET


def test_where_all_are_suspicious_none_is_slowed_down_less() -> None:
    loads = [session(0.25, turns=6.0, suspicious=True) for _ in range(4)]
    after = next_rates(Rates(), loads, OVERLOADED, 1)
    assert after.shared == pytest.approx(0.8)  # the largest step
    assert rates(after) == [after.shared] * 4
    loads = [session(0.1, turns=0.5, suspicious=True) for _ in range(10)]
    assert set(rates(next_rates(Rates(LOWEST_LEVEL), loads, OVERLOADED, 1))) == {MIN_RATE}


def test_time_that_is_free_raises_rates_though_more_is_taken_to_be_needed() -> None:
    dear = SessionLoad(SessionRate(0.2, full=4.0), 0.3, 0.3, 2.0, 0.0)
    after = next_rates(Rates(0.2, in_front=0.3, behind=0.0), [dear], Demand(0.0, 0.3), 1)
    assert 0.2 < after.level <= 0.2 * MAX_RISE


def test_nobody_falls_below_the_floor_for_a_suspicious_session() -> None:
    loads = [session(0.1, turns=0.5, suspicious=number == 0) for number in range(10)]
    after = next_rates(Rates(MIN_RATE), loads, OVERLOADED, 1)
    assert set(rates(after)) == {MIN_RATE}


def test_a_session_whose_frames_cost_much_pays_for_them_itself() -> None:
    loads = [session(0.1, turns=4.0) for _ in range(7)] + [session(0.3, turns=0.5)]
    *others, costly = rates(next_rates(Rates(), loads, OVERLOADED, 1))
    # It needs 6 s of a worker per second, others 0.25: on average 0.97.
    assert costly == pytest.approx(max(MIN_RATE, others[0] * 3 * 0.97 / 6), rel=0.01)


def test_a_session_that_needs_more_than_a_worker_is_slowed_down_alone() -> None:
    loads = [session(0.01), session(1.0, turns=5.0, own_wait=0.1)]
    after = next_rates(Rates(), loads, Demand(wait=0.0, busy=0.25), 4)
    assert rates(after) == [1.0, TARGET * 0.5]  # five of ten turns, as many as it could have
    assert [decided.slowed for decided in after.sessions] == [Slowed.NO, Slowed.FRAME_COST]
    loads = [session(0.2, rate=0.3, limit=0.3)]
    assert rates(next_rates(after, loads, CALM, 4)) == [pytest.approx(0.3 * MAX_RISE)]


def test_sessions_that_had_no_turn_yet_count_with_what_others_need() -> None:
    served = [session(0.5, turns=1.0) for _ in range(2)]
    alone = next_rates(Rates(), served, OVERLOADED, 1)
    waiting = [session(0.0, turns=0.0, waits=True) for _ in range(8)]
    after = next_rates(Rates(), served + waiting, OVERLOADED, 1)
    assert alone.needed == pytest.approx(10.0)
    assert after.needed == pytest.approx(50.0)
    idle = [session(0.0, turns=0.0)] * 8
    assert next_rates(Rates(), served + idle, OVERLOADED, 1).needed == alone.needed


def test_what_was_measured_in_one_second_is_smoothed() -> None:
    first = next_rates(Rates(), [session(0.5)], Demand(wait=0.0, busy=0.5), 1)
    assert first.needed == pytest.approx(0.5)
    spike = SessionLoad(first.sessions[0], 1.0, 1.0, 10.0, 0.0)
    assert next_rates(first, [spike], Demand(0.0, 1.0), 1).needed == pytest.approx(0.65)


def test_background_work_counts_as_needed() -> None:
    after = next_rates(Rates(), [session(0.3)], Demand(wait=0.0, busy=0.6), 1)
    assert after.needed == pytest.approx(0.6)


def test_without_sessions_the_rate_is_full() -> None:
    after = next_rates(Rates(0.5, in_front=0.0, behind=0.0), [], Demand(0.0, 0.0), 2)
    assert (after.level, after.needed) == (1.0, 0.0)
