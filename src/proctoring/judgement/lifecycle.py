"""When an incident of one kind starts, is updated and ends.

A condition that is not an incident yet is *pending*: the readings since it began to hold are kept.
They are dropped when the condition is absent for longer than the rule's ``max_dropout``, or without any
reading for longer than ``max_gap``. The incident starts once the condition has held for ``persist``
and at least ``min_share`` of the readings in that time held. It ends when the condition is absent for
``closes_after``, or has not been read as holding for ``stale_after``. Unreadable readings (``held``
is ``None``) count neither as holding nor as absent.
"""

from __future__ import annotations

from dataclasses import replace

from proctoring.incidents import LABELS, IncidentChange, IncidentState, Severity
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.rule import Hits, Misses, Rule
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import KindState, OpenIncident, Sample
from proctoring.judgement.times import TOLERANCE

MAX_SAMPLES = 2048
"""Limit on pending readings of one kind (60 s at 34 Hz). Beyond it the second oldest is dropped: the
oldest is the start of the incident."""

BRIEF = 0.05
"""Seconds. The reason of an incident that needs no persistence mentions durations from here on."""


def advance(
    policy: Policy, rule: Rule, known: KindState, reading: Reading, time: float, number: int
) -> tuple[KindState, IncidentChange | None]:
    """Apply a reading that is later than the kind's last one.

    Args:
        policy: for the interval of updates.
        rule: of the reading's kind.
        known: the kind's state.
        reading: what the observation says about the kind.
        time: media time of the observation.
        number: the number of the incident, should one start.
    """
    since = time - known.read_at
    absent = 0.0 if reading.held else known.absent + _absence(rule, reading, since)
    if known.incident is not None:
        return _continue(policy, rule, known, known.incident, reading, time, absent)
    pending = known.samples if since <= rule.max_gap + TOLERANCE else ()
    pending = _pending(rule, pending, absent, reading, time)
    known = KindState(time, pending, absent, None, known.cooldown_until)
    if reading.held and _persisted(rule, pending, time):
        return _start(rule, known, reading, number)
    return known, None


def is_idle(known: KindState, reading: Reading) -> bool:
    """Whether nothing is pending or open, and the reading starts nothing."""
    return not reading.held and known.incident is None and not known.samples


def stay_idle(rule: Rule, known: KindState, reading: Reading, time: float) -> KindState:
    """What ``advance`` makes of such a state: by far the most frequent case, and so without its checks."""
    absent = known.absent + _absence(rule, reading, time - known.read_at)
    return KindState(time, (), absent, None, known.cooldown_until)


def insert_late(
    policy: Policy, rule: Rule, known: KindState, reading: Reading, time: float, number: int
) -> tuple[KindState, IncidentChange | None]:
    """Apply a reading that holds and whose time is before the kind's last reading. Readings after
    it that did not hold are dropped. Arguments as for ``advance``."""
    if known.incident is not None:
        return _continue(policy, rule, known, known.incident, reading, time, 0.0)
    sample = Sample(time, True, reading.confidence, reading.value)
    before = (s for s in known.samples if s.time < time)
    after = (s for s in known.samples if s.time >= time and s.held)
    known = replace(known, samples=(*before, sample, *after), absent=0.0)
    if _persisted(rule, known.samples, known.samples[-1].time):
        return _start(rule, known, reading, number)
    return known, None


def expire(
    kind: str, rule: Rule, known: KindState, now: float
) -> tuple[KindState, IncidentChange | None]:
    """End the kind's open incident if its condition has not been read as holding for too long."""
    incident = known.incident
    if incident is None:
        return known, None
    unread = now - incident.held_at - incident.outage
    if unread < _stale_after(rule) - TOLERANCE:
        return known, None
    if now - known.read_at > rule.max_gap:
        why = f"nothing was seen for {unread:.0f} s"
    else:
        why = f"{incident.unreadable or 'not seen again'} for {unread:.0f} s"
    return end(kind, rule, known, incident, why)


def end(
    kind: str, rule: Rule, known: KindState, incident: OpenIncident, why: str
) -> tuple[KindState, IncidentChange]:
    """End an incident; ``why`` is empty if its condition was absent for long enough."""
    # An incident without an alert does not extend the cooldown: otherwise frequent incidents would
    # never alert again.
    cooldown_until = incident.held_at + rule.cooldown if incident.alerted else known.cooldown_until
    change = _change(kind, rule, incident, IncidentState.ENDED, why=why)
    return KindState(known.read_at, cooldown_until=cooldown_until), change


def without_alert(known: KindState, change: IncidentChange) -> tuple[KindState, IncidentChange]:
    """An incident that has just started, without its alert."""
    assert known.incident is not None  # noqa: S101  (it has just started)
    incident = replace(known.incident, alerted=False)
    return replace(known, incident=incident), replace(change, alerts=False)


def _absence(rule: Rule, reading: Reading, since: float) -> float:
    """Seconds, or number of readings, that this reading adds to the absence of the condition."""
    if reading.held is not False:
        return 0.0
    if isinstance(rule.persist, Hits):
        return 1.0
    return since if since <= rule.max_gap + TOLERANCE else 0.0


def _pending(
    rule: Rule, samples: tuple[Sample, ...], absent: float, reading: Reading, time: float
) -> tuple[Sample, ...]:
    """The readings that may still become an incident: empty, or starting with one that held."""
    if not samples and not reading.held:
        return ()
    samples = (*samples, Sample(time, bool(reading.held), reading.confidence, reading.value))
    if isinstance(rule.persist, Hits):
        if reading.held is None:  # unreadable ones are not counted
            samples = samples[:-1]
        samples = samples[-rule.persist.of :]
        first = next((i for i, sample in enumerate(samples) if sample.held), len(samples))
        return samples[first:]
    if absent > rule.max_dropout + TOLERANCE:
        return ()
    # Start at the last sample that held at least ``persist`` ago; earlier ones have no effect.
    edge = time - rule.persist + TOLERANCE
    first = max((i for i, s in enumerate(samples) if s.held and s.time <= edge), default=0)
    samples = samples[first:]
    return samples if len(samples) <= MAX_SAMPLES else (samples[0], *samples[2:])


def _persisted(rule: Rule, samples: tuple[Sample, ...], time: float) -> bool:
    """Whether the pending readings, the last of which holds, are an incident."""
    held = sum(sample.held for sample in samples)
    if isinstance(rule.persist, Hits):
        return held >= rule.persist.hits
    lasted = time - samples[0].time >= rule.persist - TOLERANCE
    return lasted and held >= rule.min_share * len(samples) - TOLERANCE


def _start(
    rule: Rule, known: KindState, reading: Reading, number: int
) -> tuple[KindState, IncidentChange]:
    """Start an incident from the pending readings."""
    held = [sample for sample in known.samples if sample.held]
    time = held[-1].time
    quiet = known.cooldown_until is not None and time < known.cooldown_until - TOLERANCE
    incident = OpenIncident(
        number=number,
        started_at=held[0].time,
        held_at=time,
        held_count=len(held),
        confidence_sum=sum(sample.confidence for sample in held),
        value_sum=sum(sample.value for sample in held),
        max_value=reading.value,
        text=reading.text,
        alerted=not quiet,
        reported_at=time,
    )
    known = KindState(known.read_at, incident=incident, cooldown_until=known.cooldown_until)
    return known, _change(reading.kind, rule, incident, IncidentState.STARTED, alerts=not quiet)


def _continue(
    policy: Policy,
    rule: Rule,
    known: KindState,
    incident: OpenIncident,
    reading: Reading,
    time: float,
    absent: float,
) -> tuple[KindState, IncidentChange | None]:
    """Apply a reading to an open incident."""
    known = KindState(max(time, known.read_at), (), absent, incident, known.cooldown_until)
    if not reading.held:
        closes = rule.closes_after
        limit = closes.misses if isinstance(closes, Misses) else closes
        if reading.held is False and absent >= limit - TOLERANCE:
            return end(reading.kind, rule, known, incident, "")
        unread = reading.text if reading.held is None else ""
        return replace(known, incident=replace(incident, unreadable=unread)), None
    stronger = reading.value > incident.max_value
    held_at = max(time, incident.held_at)
    rises = _severity(rule, incident, held_at) != _severity(rule, incident, incident.held_at)
    due = rises or time - incident.reported_at >= policy.update_interval - TOLERANCE
    incident = replace(
        incident,
        held_at=held_at,
        held_count=incident.held_count + 1,
        confidence_sum=incident.confidence_sum + reading.confidence,
        value_sum=incident.value_sum + reading.value,
        max_value=reading.value if stronger else incident.max_value,
        text=reading.text if stronger else incident.text,
        reported_at=time if due else incident.reported_at,
        unreadable="",
        outage=0.0,
    )
    change = _change(reading.kind, rule, incident, IncidentState.UPDATED) if due else None
    return replace(known, incident=incident), change


def _stale_after(rule: Rule) -> float:
    """Seconds after which an incident that is not read as holding ends."""
    if isinstance(rule.closes_after, Misses):
        return rule.stale_after
    return max(rule.stale_after, rule.closes_after)


def _severity(rule: Rule, incident: OpenIncident, held_at: float) -> Severity:
    return rule.severity_after(held_at - incident.started_at)


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
        severity=rule.severity_after(duration),
        confidence=min(1.0, incident.confidence_sum / incident.held_count),
        started_at=incident.started_at,
        duration=duration,
        reason=_reason(rule, incident, duration) + (f"; ended: {why}" if why else ""),
        alerts=alerts,
    )


def _reason(rule: Rule, incident: OpenIncident, duration: float) -> str:
    """ "gaze 31 degrees left for 2.0 s (limit 2.0 s)"."""
    measured = incident.text.replace("{}", f"{incident.value_sum / incident.held_count:.0f}")
    if isinstance(rule.persist, Hits):
        limit = f"limit {rule.persist.hits} of the last {rule.persist.of} looks"
        return f"{measured} in {incident.held_count} looks over {duration:.1f} s ({limit})"
    if rule.persist == 0:  # a single reading is enough
        return measured if duration < BRIEF else f"{measured} for {duration:.1f} s"
    return f"{measured} for {duration:.1f} s (limit {rule.persist:.1f} s)"
