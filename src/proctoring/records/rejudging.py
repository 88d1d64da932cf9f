"""Judges a sitting again from what was observed: exactly as it would have been, had it been live."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement.calibration import begin
from proctoring.judgement.challenge import ask
from proctoring.judgement.judge import finish, initial_state, judge
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import JudgementState
from proctoring.records.kept import CalibrationAsked, Kept, MovementAsked

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JudgedIncident:
    """An incident, from beginning to end, as a policy has it."""

    number: int
    kind: str
    label: str
    severity: str
    alerted: bool
    confidence: float
    started_at: float
    duration: float
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """An incident that two judgements see differently."""

    before: JudgedIncident
    after: JudgedIncident


@dataclass(frozen=True, slots=True)
class Difference:
    """What another judgement changes."""

    added: tuple[JudgedIncident, ...]
    removed: tuple[JudgedIncident, ...]
    changed: tuple[Change, ...]
    """Of the same kind and at the same time, but not the same."""
    same: int
    """How many stay as they were."""


def judge_again(
    policy: Policy, kept: Iterable[Kept], end: float | None, seed: str = ""
) -> Iterator[IncidentChange]:
    """The changes that a live session would have told.

    Args:
        policy: what judges.
        kept: all that judgement went by, in its order.
        end: media time at which the session ended; ``None``: with its last observation.
        seed: what the session's challenges were drawn from.
    """
    state, last = initial_state(seed), 0.0
    for item in kept:
        last = max(last, item.time)
        try:
            state, changes = _take(policy, state, item)
        except Exception:  # noqa: BLE001  # as live: it costs this observation alone
            _log.exception("an observation could not be judged again")
            continue
        yield from changes
    _, changes = finish(policy, state, last if end is None else end)
    yield from changes


def _take(
    policy: Policy, state: JudgementState, item: Kept
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    if isinstance(item, MovementAsked):
        asked = ask(policy, state.challenge, item.time, item.action)
        return replace(state, challenge=asked), ()
    if isinstance(item, CalibrationAsked):
        begun = begin(policy, state.calibration, item.time)
        return replace(state, calibration=begun), ()
    return judge(policy, state, item)


def collect(changes: Iterable[IncidentChange]) -> tuple[JudgedIncident, ...]:
    """The incidents that changes tell of, in the order of their numbers; the last change counts."""
    alerted: set[int] = set()
    last: dict[int, IncidentChange] = {}
    for change in changes:
        last[change.number] = change
        if change.alerts and change.state is IncidentState.STARTED:
            alerted.add(change.number)
    return tuple(
        JudgedIncident(
            change.number,
            change.kind,
            change.label,
            change.severity.value,
            change.number in alerted,
            round(change.confidence, 3),
            round(change.started_at, 3),
            round(change.duration, 3),
            change.reason,
        )
        for change in sorted(last.values(), key=lambda change: change.number)
    )


def compare(before: Iterable[JudgedIncident], after: Iterable[JudgedIncident]) -> Difference:
    """What changes from one judgement to another; an incident's number does not count."""
    left = list(before)
    added, changed, same = [], [], 0
    for incident in after:
        match = next((old for old in left if _is_same_moment(old, incident)), None)
        if match is None:
            added.append(incident)
            continue
        left.remove(match)
        if _facts(match) == _facts(incident):
            same += 1
        else:
            changed.append(Change(match, incident))
    return Difference(tuple(added), tuple(left), tuple(changed), same)


def _is_same_moment(one: JudgedIncident, other: JudgedIncident) -> bool:
    return (
        one.kind == other.kind
        and one.started_at <= other.started_at + other.duration
        and other.started_at <= one.started_at + one.duration
    )


def _facts(incident: JudgedIncident) -> tuple[object, ...]:
    return (
        incident.severity,
        incident.alerted,
        incident.started_at,
        incident.duration,
        incident.reason,
    )
