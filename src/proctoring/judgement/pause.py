"""Time in which frames arrive and none is analysed, or no process runs, does not count against the candidate.

Limits of enrolment, calibration and challenge are extended by it: whether the candidate was ready or
made the movement is not known, and it may be the service's fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proctoring.judgement.state import JudgementState, KindState
from proctoring.observations import ConnectionObservation, Observation


def extend_limits(state: JudgementState, observation: Observation) -> JudgementState:
    """The state with every time limit extended by the time that just passed without an analysis."""
    if not isinstance(observation, ConnectionObservation):
        return state
    state = replace(state, unanalysed=observation.unanalysed)
    unread = observation.outage
    if unread:
        state = replace(state, kinds=_kept_open(state.kinds, unread))
    elif observation.unanalysed is not None and observation.pictures:
        unread = observation.unanalysed.seconds
    if not unread:
        return state
    time = observation.time
    since = time - unread
    if state.paused_until is not None:
        since = max(since, state.paused_until)
    passed = max(0.0, time - since)

    enrolment, calibration, challenge = state.enrolment, state.calibration, state.challenge
    if enrolment.ready_at is None and enrolment.started_at is not None:
        enrolment = replace(enrolment, started_at=enrolment.started_at + passed)
    if calibration.step:
        calibration = replace(calibration, extra_time=calibration.extra_time + passed)
    if challenge.movement is not None:
        extra_time = challenge.movement.extra_time + passed
        challenge = replace(challenge, movement=replace(challenge.movement, extra_time=extra_time))
    return replace(
        state,
        paused_until=max(time, state.paused_until or time),
        enrolment=enrolment,
        calibration=calibration,
        challenge=challenge,
    )


def _kept_open(kinds: Mapping[str, KindState], outage: float) -> dict[str, KindState]:
    """Open incidents do not end because nothing could be read in an outage, in seconds."""
    return {
        kind: known
        if known.incident is None
        else replace(known, incident=replace(known.incident, outage=known.incident.outage + outage))
        for kind, known in kinds.items()
    }
