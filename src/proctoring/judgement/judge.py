"""Observations to incidents: pure, on media time alone, the same whatever the speed of the machine.

One kind of incident lives like this. While its condition is not an incident yet, the readings
since it began to hold are *pending*; they are forgotten when the condition is seen to be gone for
longer than the rule's ``gap`` or nothing is observed for longer than ``hole``. Once it held for
``persist`` (and at least ``share`` of the readings in that time held), the incident starts; it
ends when the condition is seen to be gone for ``closes_after``, or has not been seen to hold for
``lost_after``. Readings that could not be read neither hold nor clear: they add to no time that
runs towards an end.

Order. Each kind goes by its own readings: one that is not later than the kind's last reading is
ignored, so two observations of one moment count once and late ones change nothing; observations
of different families may overtake each other. One kind is read of quick looks and of slow ones
(``person.multiple``: faces, and the object detector). A slow look that holds is taken in at its
own time, though quicker ones came before it: what those did not see, after it, does not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from proctoring.incidents import LABELS, IncidentChange, IncidentState
from proctoring.judgement.asked import ChallengeState
from proctoring.judgement.calibration import calibrate
from proctoring.judgement.calibration import keeps_busy as calibration_keeps_busy
from proctoring.judgement.challenge import challenge, challenge_failed, keeps_busy
from proctoring.judgement.conditions import readings
from proctoring.judgement.enrolment import enrol, not_ready, withholds
from proctoring.judgement.lips import watch_lips, weighed
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.rule import ClosingLooks, Looks, Rule
from proctoring.judgement.presence import latest_look
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import (
    JudgementState,
    KindState,
    OpenIncident,
    PersonsLook,
    Sample,
)
from proctoring.observations import Observation

MAX_SAMPLES = 2048
"""Pending readings kept for one kind; beyond (60 s at 34 Hz) the oldest after the first go."""

_ROUNDING = 1e-6
"""Media times are sums of floats: 21 frames of 0.1 s are 2.0 s."""


def initial_state(seed: str = "") -> JudgementState:
    """The state of a session of which nothing was seen yet; challenges are drawn from ``seed``."""
    return JudgementState(challenge=ChallengeState(seed))


def judge(
    policy: Policy, state: JudgementState, observation: Observation
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    """What ``observation`` changes. Equal arguments always give equal results.

    Raises:
        ValueError: the observation's time is not a finite number.
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
    seen_and_heard = readings(policy, look, observation, calibration.reach)
    found = (
        *weighed(lips, observation, seen_and_heard),
        *not_ready(policy, enrolment, observation),
        *challenge_failed(asked, observation),
    )
    for reading in (_excused(reading) if moves else reading for reading in found):
        kind, rule = reading.kind, policy.incidents[reading.kind]
        if withholds(policy, enrolment, kind, time):
            continue
        known = kinds.get(kind)
        if not rule.enabled:
            continue
        if known is None or time > known.read_at:
            known, change = _step(policy, rule, known or KindState(time), reading, time, count + 1)
        elif (
            reading.slow
            and reading.held
            and look is not state.look
            and _in_time(policy, look, known)
        ):
            known, change = _step_late(policy, rule, known, reading, time, count + 1)
        else:
            continue
        if change is not None and change.state is IncidentState.STARTED:
            count = change.number
            if policy.one_alert_per_side and _other_of_the_side_is_open(kinds, kind):
                known, change = _silenced(known, change)
        kinds[kind] = known
        changes += [change] if change else []
    for kind, known in kinds.items():
        incident, rule = known.incident, policy.incidents[kind]
        if incident is not None and now - incident.held_at >= _lost_after(rule) - _ROUNDING:
            kinds[kind], change = _end(kind, rule, known, incident, _why_lost(known, rule, now))
            changes.append(change)
    return (
        JudgementState(now, count, look, kinds, enrolment, calibration, asked, lips),
        tuple(changes),
    )


def finish(
    policy: Policy, state: JudgementState, time: float
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    """End what is open because the session ends at media time ``time``; what is pending is dropped."""
    kinds, changes = dict(state.kinds), list[IncidentChange]()
    for kind, known in state.kinds.items():
        kinds[kind] = replace(known, samples=(), gone=0.0)
        if known.incident is not None:
            rule = policy.incidents[kind]
            kinds[kind], change = _end(kind, rule, known, known.incident, "the session ended")
            changes.append(change)
    now = time if state.time is None else max(time, state.time)
    return replace(state, time=now, kinds=kinds), tuple(changes)


def _step(
    policy: Policy, rule: Rule, known: KindState, reading: Reading, time: float, number: int
) -> tuple[KindState, IncidentChange | None]:
    """Take one reading of one kind into account; ``number`` is for the incident it may start."""
    since = time - known.read_at
    gone = 0.0 if reading.held else known.gone + _gone(rule, reading, since)
    if known.incident is not None:
        return _continue(policy, rule, known, known.incident, reading, time, gone)
    pending = known.samples if since <= rule.hole + _ROUNDING else ()
    pending = _pending(rule, pending, gone, reading, time)
    known = KindState(time, pending, gone, None, known.quiet_until)
    if reading.held and _persisted(rule, pending, time):
        return _start(rule, known, reading, number)
    return known, None


def _excused(reading: Reading) -> Reading:
    """Gaze and head say nothing while the candidate does as told."""
    if reading.kind.startswith(("gaze.", "head.")):
        return Reading(reading.kind, None, text="the candidate was asked to move")
    return reading


def _in_time(policy: Policy, look: PersonsLook | None, known: KindState) -> bool:
    """Whether a slow look that comes late still stands."""
    return look is not None and known.read_at - look.time <= policy.objects.look_valid


def _step_late(
    policy: Policy, rule: Rule, known: KindState, reading: Reading, time: float, number: int
) -> tuple[KindState, IncidentChange | None]:
    """Take in one slow reading that holds and was overtaken by quick ones."""
    if known.incident is not None:
        return _continue(policy, rule, known, known.incident, reading, time, 0.0)
    sample = Sample(time, True, reading.confidence, reading.value)
    before = (s for s in known.samples if s.time < time)
    after = (s for s in known.samples if s.time >= time and s.held)
    known = replace(known, samples=(*before, sample, *after), gone=0.0)
    if _persisted(rule, known.samples, known.samples[-1].time):
        return _start(rule, known, reading, number)
    return known, None


def _gone(rule: Rule, reading: Reading, since: float) -> float:
    """What this reading adds to the time, or the looks, for which the condition is gone."""
    if reading.held is not False:
        return 0.0
    if isinstance(rule.persist, Looks):
        return 1.0
    return since if since <= rule.hole + _ROUNDING else 0.0


def _pending(
    rule: Rule, samples: tuple[Sample, ...], gone: float, reading: Reading, time: float
) -> tuple[Sample, ...]:
    """The readings that may still make an incident; begins with one that held, or is empty."""
    if not samples and not reading.held:
        return ()
    samples = (*samples, Sample(time, bool(reading.held), reading.confidence, reading.value))
    if isinstance(rule.persist, Looks):
        if reading.held is None:  # unreadable looks are no looks
            samples = samples[:-1]
        samples = samples[-rule.persist.of :]
        first = next((i for i, sample in enumerate(samples) if sample.held), len(samples))
        return samples[first:]
    if gone > rule.gap + _ROUNDING:
        return ()
    # Nothing before the last one that held a full persisting time ago can matter any more.
    edge = time - rule.persist + _ROUNDING
    first = max((i for i, s in enumerate(samples) if s.held and s.time <= edge), default=0)
    samples = samples[first:]
    return samples if len(samples) <= MAX_SAMPLES else (samples[0], *samples[2:])


def _persisted(rule: Rule, samples: tuple[Sample, ...], time: float) -> bool:
    """Whether the pending readings, the last of which holds, are an incident."""
    held = sum(sample.held for sample in samples)
    if isinstance(rule.persist, Looks):
        return held >= rule.persist.looks
    lasted = time - samples[0].time >= rule.persist - _ROUNDING
    return lasted and held >= rule.share * len(samples) - _ROUNDING


def _start(
    rule: Rule, known: KindState, reading: Reading, number: int
) -> tuple[KindState, IncidentChange]:
    """Turn what is pending into an incident."""
    held = [sample for sample in known.samples if sample.held]
    time = held[-1].time
    quiet = known.quiet_until is not None and time < known.quiet_until - _ROUNDING
    incident = OpenIncident(
        number=number,
        started_at=held[0].time,
        held_at=time,
        held=len(held),
        confidence_sum=sum(sample.confidence for sample in held),
        value_sum=sum(sample.value for sample in held),
        strongest=reading.value,
        text=reading.text,
        alerted=not quiet,
        reported_at=time,
    )
    known = KindState(known.read_at, incident=incident, quiet_until=known.quiet_until)
    return known, _change(reading.kind, rule, incident, IncidentState.STARTED, alerts=not quiet)


def _silenced(known: KindState, change: IncidentChange) -> tuple[KindState, IncidentChange]:
    """The same start without its alert."""
    assert known.incident is not None  # noqa: S101  (it has just started)
    incident = replace(known.incident, alerted=False)
    return replace(known, incident=incident), replace(change, alerts=False)


def _continue(
    policy: Policy,
    rule: Rule,
    known: KindState,
    incident: OpenIncident,
    reading: Reading,
    time: float,
    gone: float,
) -> tuple[KindState, IncidentChange | None]:
    """Take a reading into an incident that runs."""
    known = KindState(max(time, known.read_at), (), gone, incident, known.quiet_until)
    if not reading.held:
        closes = rule.closes_after
        limit = closes.looks if isinstance(closes, ClosingLooks) else closes
        if reading.held is False and gone >= limit - _ROUNDING:
            return _end(reading.kind, rule, known, incident, "")
        unread = reading.text if reading.held is None else ""
        return replace(known, incident=replace(incident, unread=unread)), None
    stronger = reading.value > incident.strongest
    due = time - incident.reported_at >= policy.update_every - _ROUNDING
    incident = replace(
        incident,
        held_at=max(time, incident.held_at),
        held=incident.held + 1,
        confidence_sum=incident.confidence_sum + reading.confidence,
        value_sum=incident.value_sum + reading.value,
        strongest=reading.value if stronger else incident.strongest,
        text=reading.text if stronger else incident.text,
        reported_at=time if due else incident.reported_at,
        unread="",
    )
    change = _change(reading.kind, rule, incident, IncidentState.UPDATED) if due else None
    return replace(known, incident=incident), change


def _end(
    kind: str, rule: Rule, known: KindState, incident: OpenIncident, why: str
) -> tuple[KindState, IncidentChange]:
    # Silent incidents do not prolong the quiet: who looks away every 20 s alerts again and again.
    quiet_until = incident.held_at + rule.quiet if incident.alerted else known.quiet_until
    change = _change(kind, rule, incident, IncidentState.ENDED, why=why)
    return KindState(known.read_at, quiet_until=quiet_until), change


def _lost_after(rule: Rule) -> float:
    if isinstance(rule.closes_after, ClosingLooks):
        return rule.lost_after
    return max(rule.lost_after, rule.closes_after)


def _other_of_the_side_is_open(kinds: Mapping[str, KindState], kind: str) -> bool:
    """For gaze.left, whether head.left is running, and the other way round."""
    what, side = kind.split(".", 1)
    other = kinds.get({"gaze": "head", "head": "gaze"}.get(what, "") + f".{side}")
    return other is not None and other.incident is not None


def _why_lost(known: KindState, rule: Rule, now: float) -> str:
    incident = known.incident
    assert incident is not None  # noqa: S101  (callers look)
    if now - known.read_at > rule.hole:
        return f"nothing was seen for {now - incident.held_at:.0f} s"
    unread = incident.unread or "not seen again"
    return f"{unread} for {now - incident.held_at:.0f} s"


def _change(
    kind: str,
    rule: Rule,
    incident: OpenIncident,
    state: IncidentState,
    *,
    alerts: bool = False,
    why: str = "",
) -> IncidentChange:
    duration = incident.held_at - incident.started_at
    return IncidentChange(
        number=incident.number,
        kind=kind,
        label=LABELS[kind],
        state=state,
        severity=rule.severity,
        confidence=min(1.0, incident.confidence_sum / incident.held),
        started_at=incident.started_at,
        duration=duration,
        reason=_reason(rule, incident, duration) + (f"; ended: {why}" if why else ""),
        alerts=alerts,
    )


def _reason(rule: Rule, incident: OpenIncident, duration: float) -> str:
    """ "gaze 31 degrees left for 2.0 s (limit 2.0 s)"."""
    measured = incident.text.replace("{}", f"{incident.value_sum / incident.held:.0f}")
    if isinstance(rule.persist, Looks):
        limit = f"limit {rule.persist.looks} of the last {rule.persist.of} looks"
        return f"{measured} in {incident.held} looks over {duration:.1f} s ({limit})"
    if rule.persist == 0:  # one reading is enough
        return measured if duration < 0.05 else f"{measured} for {duration:.1f} s"
    return f"{measured} for {duration:.1f} s (limit {rule.persist:.1f} s)"
