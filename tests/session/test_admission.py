"""Whether one more session may begin."""

from __future__ import annotations

import pytest
from benchmarks.simulated_pool import SimulatedSession, Simulation

from proctoring.errors import OverloadedError, TooManyError
from proctoring.session.admission import NEW, READINGS, Admission, LoadReading

MANY = 1000


def observed(*readings: LoadReading, by_load: bool = True) -> Admission:
    """An admission that has seen these readings, one a second."""
    admission = Admission(MANY, by_load=by_load)
    for second, reading in enumerate(readings):
        admission.observe(reading, float(second))
    return admission


def reason(admission: Admission, sessions: int, now: float = 100.0) -> str:
    refusal = admission.refusal(sessions, now)
    return "" if refusal is None else refusal.detail


def test_the_number_is_bounded() -> None:
    admission = Admission(2, by_load=False)
    admission.refuse(1, 0.0)
    with pytest.raises(TooManyError, match="2 sessions are open"):
        admission.refuse(2, 0.0)
    assert admission.refused == {"too_many": 1}


def test_a_session_that_does_not_fit_is_refused() -> None:
    admission = observed(*[LoadReading(0.88, 1.0, 8)] * READINGS)
    with pytest.raises(OverloadedError, match="need 88% of the computing time, and one more 11%"):
        admission.refuse(8, 100.0)
    assert admission.refused == {"overloaded": 1}


def test_a_session_that_fits_may_begin() -> None:
    assert not reason(observed(*[LoadReading(0.7, 1.0, 7)] * READINGS), 7)


def test_while_sessions_are_slowed_down_no_other_may_begin() -> None:
    admission = observed(*[LoadReading(0.5, 0.8, 8)] * READINGS)
    assert reason(admission, 8) == (
        "the sessions that are open are slowed down to 80% of the full rate already"
    )


def test_a_short_peak_refuses_nobody() -> None:
    calm, peak = LoadReading(0.3, 1.0, 3), LoadReading(3.0, 0.4, 3)
    assert not reason(observed(*[calm] * 6, *[peak] * 4), 3)
    assert reason(observed(*[calm] * 4, *[peak] * 6), 3)


def test_nothing_is_refused_before_the_load_is_known() -> None:
    peak = LoadReading(3.0, 0.4, 3)
    assert not reason(observed(), 3)
    assert not reason(observed(*[peak] * 5), 3)
    assert reason(observed(*[peak] * 6), 3)


def test_without_sessions_one_may_begin_whatever_was_measured() -> None:
    assert not reason(observed(*[LoadReading(3.0, 0.4, 3)] * READINGS), 0)


def test_by_count_the_load_is_no_reason() -> None:
    assert not reason(observed(*[LoadReading(3.0, 0.4, 3)] * READINGS, by_load=False), 3)


def test_sessions_that_have_just_begun_count_with_what_others_need() -> None:
    admission = observed(*[LoadReading(0.42, 1.0, 4)] * READINGS)
    for _ in range(4):
        assert not reason(admission, 4)
        admission.begun(100.0)
    assert "need 84%" in reason(admission, 8)
    assert not reason(admission, 8, 100.0 + NEW + 1), "they send nothing: they need nothing"


def test_what_is_measured_already_counts_once() -> None:
    admission = observed(*[LoadReading(0.4, 1.0, 4)] * READINGS)
    for _ in range(4):
        admission.begun(100.0)
    assert not reason(admission, 4)


def test_readings_are_taken_once_a_second() -> None:
    admission = Admission(MANY, by_load=True)
    for tick in range(20):  # five seconds
        admission.observe(LoadReading(3.0, 0.4, 3), tick / 4)
    assert not reason(admission, 3)


def test_sessions_are_admitted_until_the_worker_is_full() -> None:
    """In simulated time: one more every five seconds, at 290 ms a second each; then they are hardly
    slowed down."""
    simulation, admission = Simulation(), Admission(MANY, by_load=True)
    sessions: list[SimulatedSession] = []
    for second in range(60):
        turns = simulation.turns
        reading = LoadReading(turns.rates.needed, turns.rates.shared, turns.active)
        admission.observe(reading, simulation.now)
        if second % 5 == 0 and admission.refusal(len(sessions), simulation.now) is None:
            sessions.append(SimulatedSession())
            simulation.begin(sessions[-1])
            admission.begun(simulation.now)
        simulation.run(1.0)
    assert len(sessions) in (2, 3)
    assert all(rate > 0.8 for session in sessions for _, rate in session.rates)


def test_a_rush_is_admitted_only_as_far_as_the_worker_carries() -> None:
    """All at once, after the first was measured."""
    simulation, admission = Simulation(), Admission(MANY, by_load=True)
    first = SimulatedSession()
    simulation.begin(first)
    admission.begun(0.0)
    for _ in range(20):
        turns = simulation.turns
        reading = LoadReading(turns.rates.needed, turns.rates.shared, turns.active)
        admission.observe(reading, simulation.now)
        simulation.run(1.0)
    admitted = 1
    while admission.refusal(admitted, simulation.now) is None:
        admission.begun(simulation.now)
        admitted += 1
    assert admitted in (2, 3)
