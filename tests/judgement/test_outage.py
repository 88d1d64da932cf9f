"""A session whose process died goes on: the outage counts against nobody, and ends no incident."""

from __future__ import annotations

import pytest
from tests.judgement.build import ENROLLED, EXAM

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement import CalibrationRequested, ChallengeRequested, JudgementState, apply
from proctoring.observations import BrowserObservation, ConnectionObservation, Observation


def hidden(time: float, *, visible: bool = False) -> BrowserObservation:
    return BrowserObservation(time, visible, True, None, None, None, 0, 0.0)


def continued(time: float, outage: float) -> ConnectionObservation:
    return ConnectionObservation(time, connected=True, pictures=True, sound=True, outage=outage)


def judged(
    state: JudgementState, items: list[Observation]
) -> tuple[JudgementState, list[IncidentChange]]:
    told: list[IncidentChange] = []
    for item in items:
        state, changes = apply(EXAM, state, item)
        told += changes
    return state, told


def test_an_incident_that_ran_goes_on_as_the_same_after_any_outage() -> None:
    state, told = judged(ENROLLED, [hidden(10), hidden(11), hidden(12)])
    assert [one.state for one in told] == [IncidentState.STARTED]
    state, told = judged(state, [continued(312, 300), hidden(313), hidden(314)])
    assert {one.number for one in told} <= {1}
    assert IncidentState.ENDED not in [one.state for one in told]
    _, told = judged(state, [hidden(315, visible=True)])
    assert [(one.number, one.state, one.duration) for one in told] == [
        (1, IncidentState.ENDED, 304.0)
    ]


def test_an_incident_whose_condition_is_over_does_not_last_for_the_outage() -> None:
    state, _ = judged(ENROLLED, [hidden(10), hidden(11), hidden(12)])
    back = [hidden(43, visible=True), hidden(44, visible=True)]
    _, told = judged(state, [continued(42, 30), *back])
    assert [(one.state, one.duration) for one in told] == [(IncidentState.ENDED, 2.0)]


def test_an_incident_that_nothing_is_heard_of_ends_after_the_usual_time() -> None:
    state, _ = judged(ENROLLED, [hidden(10), hidden(11), hidden(12)])
    stale_after = EXAM.incidents["browser.hidden"].stale_after
    state, told = judged(state, [continued(42, 30)])
    assert told == []
    last = 42 + stale_after
    _, told = judged(state, [ConnectionObservation(last, True, True, True)])
    assert [one.state for one in told] == [IncidentState.ENDED]


@pytest.mark.parametrize(
    "request_", [ChallengeRequested(11, "turn_left"), CalibrationRequested(11)]
)
def test_time_limits_are_extended_by_the_outage(
    request_: ChallengeRequested | CalibrationRequested,
) -> None:
    state, _ = apply(EXAM, ENROLLED, request_)
    state, told = judged(state, [continued(72, 60)])
    assert told == []
    assert state.challenge.outcome == ""
    assert state.calibration.outcome == ""
    assert (state.challenge.movement is not None) or bool(state.calibration.step)
