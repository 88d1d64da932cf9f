"""Judges a sitting again from what was observed: exactly as it would have been, had it been live."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from proctoring.incidents import IncidentChange, IncidentSummary
from proctoring.judgement.calibration import begin
from proctoring.judgement.challenge import ask
from proctoring.judgement.judge import finish, initial_state, judge
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import JudgementState
from proctoring.records.kept import CalibrationAsked, Kept, MovementAsked

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangedIncident:
    """An incident that two judgements see differently."""

    before: IncidentSummary
    after: IncidentSummary


@dataclass(frozen=True, slots=True)
class Difference:
    """What another judgement changes."""

    added: tuple[IncidentSummary, ...]
    removed: tuple[IncidentSummary, ...]
    changed: tuple[ChangedIncident, ...]
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


def compare(before: Iterable[IncidentSummary], after: Iterable[IncidentSummary]) -> Difference:
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
            changed.append(ChangedIncident(match, incident))
    return Difference(tuple(added), tuple(left), tuple(changed), same)


def _is_same_moment(one: IncidentSummary, other: IncidentSummary) -> bool:
    return (
        one.kind == other.kind
        and one.started_at <= other.started_at + other.duration
        and other.started_at <= one.started_at + one.duration
    )


def _facts(incident: IncidentSummary) -> tuple[object, ...]:
    return (
        incident.severity,
        incident.alerted,
        incident.started_at,
        incident.duration,
        incident.reason,
    )
