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
from proctoring.judgement.calibration import calibrate
from proctoring.judgement.calibration import keeps_busy as calibration_keeps_busy
from proctoring.judgement.challenge import challenge, challenge_failed, keeps_busy
from proctoring.judgement.conditions import readings
from proctoring.judgement.enrolment import enrol, not_ready, withholds
from proctoring.judgement.lifecycle import advance, end, expire, insert_late, without_alert
from proctoring.judgement.lips import watch_lips, weighed
from proctoring.judgement.policy import Policy
from proctoring.judgement.presence import latest_look
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import JudgementState, KindState, PersonsLook
from proctoring.observations import Observation


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
    look = latest_look(policy, state.look, observation)
    now = time if state.time is None else max(time, state.time)
    calibration = calibrate(policy, state.calibration, observation)
    calibrated = calibration.reach is not None
    enrolment = enrol(policy, state.enrolment, look, observation, calibrated=calibrated)
    asked = challenge(policy, state.challenge, enrolment, observation)
    moves = keeps_busy(asked, time) or calibration_keeps_busy(calibration, time)
    kinds, count = dict(state.kinds), state.incidents
    changes: list[IncidentChange] = []
    lips = watch_lips(state.lips, observation)
    found = (
        *weighed(lips, observation, readings(policy, look, observation, calibration.reach)),
        *not_ready(policy, enrolment, observation),
        *challenge_failed(asked, observation),
    )
    for reading in (_excused(reading) if moves else reading for reading in found):
        kind, rule = reading.kind, policy.incidents[reading.kind]
        if not rule.enabled or withholds(policy, enrolment, kind, time):
            continue
        known = kinds.get(kind)
        if known is None or time > known.read_at:
            known, change = advance(
                policy, rule, known or KindState(time), reading, time, count + 1
            )
        elif (
            reading.slow
            and reading.held
            and look is not state.look
            and _is_still_valid(policy, look, known)
        ):
            known, change = insert_late(policy, rule, known, reading, time, count + 1)
        else:
            continue
        if change is not None and change.state is IncidentState.STARTED:
            count = change.number
            if policy.one_alert_per_side and _other_of_the_side_is_open(kinds, kind):
                known, change = without_alert(known, change)
        kinds[kind] = known
        changes += [change] if change else []
    for kind, known in kinds.items():
        kinds[kind], expired = expire(kind, policy.incidents[kind], known, now)
        changes += [expired] if expired else []
    return (
        JudgementState(now, count, look, kinds, enrolment, calibration, asked, lips),
        tuple(changes),
    )


def finish(
    policy: Policy, state: JudgementState, time: float
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    """End all open incidents because the session ends at media time ``time``. Conditions that have
    not become incidents are dropped."""
    kinds, changes = dict(state.kinds), list[IncidentChange]()
    for kind, known in state.kinds.items():
        kinds[kind] = replace(known, samples=(), gone=0.0)
        if known.incident is not None:
            rule = policy.incidents[kind]
            kinds[kind], change = end(kind, rule, known, known.incident, "the session ended")
            changes.append(change)
    now = time if state.time is None else max(time, state.time)
    return replace(state, time=now, kinds=kinds), tuple(changes)


def _excused(reading: Reading) -> Reading:
    """The reading while the candidate moves on request: gaze and head cannot be judged then."""
    if reading.kind.startswith(("gaze.", "head.")):
        return Reading(reading.kind, None, text="the candidate was asked to move")
    return reading


def _is_still_valid(policy: Policy, look: PersonsLook | None, known: KindState) -> bool:
    """Whether a late deferred detection is recent enough to count."""
    return look is not None and known.read_at - look.time <= policy.objects.max_count_age


def _other_of_the_side_is_open(kinds: Mapping[str, KindState], kind: str) -> bool:
    """For ``gaze.left``: whether ``head.left`` is open, and vice versa."""
    what, side = kind.split(".", 1)
    other = kinds.get({"gaze": "head", "head": "gaze"}.get(what, "") + f".{side}")
    return other is not None and other.incident is not None
