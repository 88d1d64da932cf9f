"""Judges one observation: which incidents start, are updated or end.

Pure: depends on media time only, so results are the same at any speed of the machine.

Every kind of incident has its own order of readings: a reading that is not later than the kind's
last one is ignored. So duplicates count once, late observations change nothing, and observations of
different families (video, audio, browser) may overtake each other. The exception is a kind that is
read from both immediate and deferred detections (``person.multiple``: faces, and the object
detector). A deferred detection that holds is inserted at its own time even if later frames were
judged before it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement.calibration import is_calibration_active, update_calibration
from proctoring.judgement.challenge import (
    challenge_readings,
    is_challenge_active,
    update_challenge,
)
from proctoring.judgement.conditions import readings
from proctoring.judgement.enrolment import (
    enrolment_readings,
    is_enrolling,
    is_suspended,
    update_enrolment,
)
from proctoring.judgement.lifecycle import (
    advance,
    end,
    expire,
    insert_late,
    is_idle,
    stay_idle,
    without_alert,
)
from proctoring.judgement.lips import update_lips, weigh_by_lips
from proctoring.judgement.pause import extend_limits
from proctoring.judgement.policy import Policy
from proctoring.judgement.presence import update_person_count
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import JudgementState, KindState, PersonCount
from proctoring.observations import AudioObservation, Observation, TranscriptObservation


def judge(
    policy: Policy, state: JudgementState, observation: Observation
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    """The state after ``observation``, and the incidents that it started, updated or ended.

    Raises:
        ValueError: the observation's time is not finite.
    """
    time = observation.time
    if not math.isfinite(time):
        raise ValueError(f"media time must be finite, not {time}")
    before, state = state, _update(policy, state, observation)
    kinds, number = dict(state.kinds), state.incidents
    enrolling = is_enrolling(policy, state.enrolment, time)
    changes: list[IncidentChange] = []
    for reading in _readings(policy, state, observation):
        kind, rule = reading.kind, policy.incidents[reading.kind]
        if not rule.enabled or (enrolling and is_suspended(policy, kind)):
            continue
        known = kinds.get(kind)
        if known is not None and time > known.read_at and is_idle(known, reading):
            kinds[kind] = stay_idle(rule, known, reading, time)
            continue
        if known is None or time > known.read_at:
            known = known or KindState(time)
            known, change = advance(policy, rule, known, reading, time, number + 1)
        elif _counts_though_late(policy, before.person_count, state.person_count, reading, known):
            known, change = insert_late(policy, rule, known, reading, time, number + 1)
        else:
            continue
        if change is not None and change.state is IncidentState.STARTED:
            number = change.number
            if policy.one_alert_per_side and _other_of_the_side_is_open(kinds, kind):
                known, change = without_alert(known, change)
        kinds[kind] = known
        changes += [change] if change else []
    assert state.time is not None  # noqa: S101
    for kind, known in kinds.items():
        if known.incident is not None:
            kinds[kind], expired = expire(kind, policy.incidents[kind], known, state.time)
            changes += [expired] if expired else []
    state = JudgementState(
        time=state.time,
        incidents=number,
        person_count=state.person_count,
        kinds=kinds,
        enrolment=state.enrolment,
        calibration=state.calibration,
        challenge=state.challenge,
        lips=state.lips,
        unanalysed=state.unanalysed,
        paused_until=state.paused_until,
        heard_until=state.heard_until,
        transcribed_until=state.transcribed_until,
    )
    return state, tuple(changes)


def finish(
    policy: Policy, state: JudgementState, time: float
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    """End all open incidents because the session ends at media time ``time``. Conditions that have
    not become incidents are dropped."""
    kinds, changes = dict(state.kinds), list[IncidentChange]()
    for kind, known in state.kinds.items():
        kinds[kind] = replace(known, samples=(), absent=0.0)
        if known.incident is not None:
            rule = policy.incidents[kind]
            kinds[kind], change = end(kind, rule, known, known.incident, "the session ended")
            changes.append(change)
    now = time if state.time is None else max(time, state.time)
    return replace(state, time=now, kinds=kinds), tuple(changes)


def _update(policy: Policy, state: JudgementState, observation: Observation) -> JudgementState:
    """The state after ``observation``, except for incidents."""
    time = observation.time
    state = extend_limits(state, observation)
    count = update_person_count(policy, state.person_count, observation)
    calibration = update_calibration(policy, state.calibration, observation)
    calibrated = calibration.extent is not None
    enrolment = update_enrolment(policy, state.enrolment, count, observation, calibrated=calibrated)
    return JudgementState(
        time=time if state.time is None else max(time, state.time),
        incidents=state.incidents,
        person_count=count,
        kinds=state.kinds,
        enrolment=enrolment,
        calibration=calibration,
        challenge=update_challenge(policy, state.challenge, enrolment, observation),
        lips=update_lips(state.lips, observation),
        unanalysed=state.unanalysed,
        paused_until=state.paused_until,
        heard_until=max(state.heard_until, time) if _is_sound(observation) else state.heard_until,
        transcribed_until=max(state.transcribed_until, time)
        if isinstance(observation, TranscriptObservation) and observation.final
        else state.transcribed_until,
    )


def _is_sound(observation: Observation) -> bool:
    """Whether sound was heard in it: not a gap, nor what a transcript says of its speakers."""
    return isinstance(observation, AudioObservation) and observation.level is not None


def _readings(
    policy: Policy, state: JudgementState, observation: Observation
) -> tuple[Reading, ...]:
    """All readings of ``observation``; ``state`` is already updated by it."""
    extent = state.calibration.extent
    found = readings(policy, state.person_count, observation, extent)
    found = (
        *weigh_by_lips(state.lips, observation, found),
        *enrolment_readings(policy, state.enrolment, observation),
        *challenge_readings(state.challenge, observation),
    )
    challenged = is_challenge_active(state.challenge, observation.time)
    if challenged or is_calibration_active(state.calibration, observation.time):
        return tuple(_unreadable_while_moving(reading) for reading in found)
    return found


def _unreadable_while_moving(reading: Reading) -> Reading:
    """The reading while the candidate moves on request: gaze and head cannot be judged then."""
    if reading.kind.startswith(("gaze.", "head.")):
        return Reading(reading.kind, None, text="the candidate was asked to move")
    return reading


def _counts_though_late(
    policy: Policy,
    before: PersonCount | None,
    count: PersonCount | None,
    reading: Reading,
    known: KindState,
) -> bool:
    """Whether a reading counts though it is not later than the kind's last one: if it holds, comes
    from a deferred detection that changed the count of persons, and is recent enough."""
    if not (reading.deferred and reading.held) or count is None or count is before:
        return False
    return known.read_at - count.time <= policy.objects.max_count_age


def _other_of_the_side_is_open(kinds: Mapping[str, KindState], kind: str) -> bool:
    """For ``gaze.left``: whether ``head.left`` is open, and vice versa."""
    what, side = kind.split(".", 1)
    other = kinds.get({"gaze": "head", "head": "gaze"}.get(what, "") + f".{side}")
    return other is not None and other.incident is not None
