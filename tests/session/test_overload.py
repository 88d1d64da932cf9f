"""Overload in simulated time: fairness, latency, convergence and recovery of many sessions."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from benchmarks.simulated_pool import (
    SimulatedSession,
    Simulation,
    counts,
    even_cost,
    gated_cost,
    latency_95,
)

from proctoring.session.load import MIN_RATE

ALONE = 5.0
SETTLED = ALONE + 3.0
END = 35.0
LATENCY = 0.25
"""Seconds that 95 of 100 frames may take from arrival to the end of their analysis."""

Cost = Callable[[Random], float]


def twice(cost: Cost = even_cost, *, workers: int = 1) -> list[SimulatedSession]:
    """Sessions that need twice what the workers can do."""
    return [
        SimulatedSession(cost, detects=cost is even_cost or number % 5 == 0)
        for number in range((8 if cost is even_cost else 28) * workers)
    ]


def overload(
    sessions: list[SimulatedSession], workers: int = 1, share: float = 1.0, others: float = 0.0
) -> Simulation:
    """One session for a while, then all."""
    simulation = Simulation(workers, share=share, others=others)
    simulation.begin(sessions[0])
    simulation.run(ALONE)
    simulation.begin(*sessions[1:])
    simulation.run(END - ALONE)
    return simulation


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("cost", [even_cost, gated_cost])
def test_at_twice_the_capacity_no_session_starves_and_frames_are_fast(
    cost: Cost, workers: int
) -> None:
    sessions = twice(cost, workers=workers)
    simulation = overload(sessions, workers)
    analysed = counts(sessions, SETTLED, END)
    assert simulation.turns.rates.needed > 1.5
    assert max(analysed) <= 1.1 * min(analysed)
    assert min(analysed) > 3 * (END - SETTLED)  # of ten a second wanted
    assert latency_95(sessions, ALONE, SETTLED) < LATENCY
    assert latency_95(sessions, SETTLED, END) < LATENCY


def test_rates_fall_together_within_two_seconds_and_then_hardly_change() -> None:
    sessions = twice()
    overload(sessions)
    for session in sessions:
        before = [rate for when, rate in session.rates if when <= ALONE + 2][-1]
        after = [rate for when, rate in session.rates if when > SETTLED]
        assert before < 0.5
        assert min(after) > 0.25
        assert max(after) < 1.4 * min(after)


@pytest.mark.parametrize("count", [8, 16, 40])
def test_the_full_rate_is_back_within_five_seconds(count: int) -> None:
    sessions = [SimulatedSession() for _ in range(count)]
    simulation = overload(sessions)
    simulation.end(*sessions[1:])
    simulation.run(10.0)
    back = [when for when, rate in sessions[0].rates if rate == 1.0][-1]
    assert sessions[0].rates[-1][1] == 1.0
    assert END < back <= END + 5.0


def test_what_fits_is_never_slowed_down() -> None:
    sessions = [SimulatedSession() for _ in range(3)]
    overload(sessions)
    assert all(rate == 1.0 for session in sessions for _, rate in session.rates)


def test_clients_that_send_more_than_they_are_asked_for_gain_nothing() -> None:
    sessions = twice()
    for eager in sessions[1:3]:
        eager.sends = 60.0
    overload(sessions)
    analysed = counts(sessions, SETTLED, END)
    assert max(analysed) <= 1.1 * min(analysed)


def test_a_session_whose_frames_cost_much_starves_nobody() -> None:
    sessions = twice()
    sessions[1].cost = lambda _: 0.3
    overload(sessions)
    costly = counts(sessions, SETTLED, END).pop(1)
    others = counts([*sessions[:1], *sessions[2:]], SETTLED, END)
    assert min(others) >= 1.3 * costly
    assert costly >= MIN_RATE * 10 * (END - SETTLED)


def test_suspicious_sessions_are_slowed_down_less() -> None:
    sessions = twice()
    sessions[3].suspicious = True
    overload(sessions)
    suspicious = counts(sessions, SETTLED, END).pop(3)
    others = counts([*sessions[:3], *sessions[4:]], SETTLED, END)
    assert suspicious > 1.7 * max(others)
    assert min(others) > 2 * (END - SETTLED)


def test_far_beyond_capacity_all_keep_the_lowest_rate() -> None:
    sessions = [SimulatedSession() for _ in range(40)]
    overload(sessions)
    analysed = counts(sessions, SETTLED, END)
    assert {session.rates[-1][1] for session in sessions} == {MIN_RATE}
    assert min(analysed) >= 0.7 * (END - SETTLED)


# --- cores that are shared with other threads and programs ---


def busy_cost(random: Random) -> float:
    """Seconds of a frame of a mix of sessions: half are carried over."""
    return random.uniform(0.002, 0.006) if random.random() < 0.55 else random.uniform(0.012, 0.03)


def test_time_in_which_steps_wait_for_a_core_is_no_need() -> None:
    """Four sessions keep the worker busy for nine tenths of the time, with seven tenths of a core."""
    sessions = [SimulatedSession(busy_cost) for _ in range(4)]
    simulation = overload(sessions, share=0.75, others=0.1)
    assert simulation.turns.rates.needed < 0.9
    assert all(rate == 1.0 for session in sessions for _, rate in session.rates)
    assert latency_95(sessions, SETTLED, END) < 0.1


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_where_another_program_takes_its_share_rates_fall_to_what_is_left(share: float) -> None:
    sessions = twice()
    simulation = overload(sessions, share=share)
    analysed = counts(sessions, SETTLED, END)
    assert simulation.turns.capacity.cpu == pytest.approx(share, rel=0.2)
    assert max(analysed) <= 1.25 * min(analysed)
    assert min(analysed) > 2.5 * share * (END - SETTLED)
    assert latency_95(sessions, SETTLED, END) < LATENCY / share


def test_the_full_rate_is_back_within_five_seconds_after_another_program_ends() -> None:
    sessions = [SimulatedSession() for _ in range(2)]
    simulation = overload(sessions, share=0.4)
    assert sessions[0].rates[-1][1] < 1.0
    simulation.share = 1.0
    simulation.run(10.0)
    back = [when for when, rate in sessions[0].rates if rate == 1.0][-1]
    assert sessions[0].rates[-1][1] == 1.0
    assert END < back <= END + 5.0
