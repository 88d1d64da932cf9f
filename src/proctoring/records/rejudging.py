"""Judges a recorded sitting again, under the same policy or another, and compares the results."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proctoring.incidents import IncidentChange, IncidentSummary
from proctoring.judgement.inputs import JudgementInput
from proctoring.judgement.judge import finish
from proctoring.judgement.policy import Policy
from proctoring.judgement.reducer import apply
from proctoring.judgement.state import initial_state

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChangedIncident:
    """An incident that both judgements contain, with different values."""

    before: IncidentSummary
    after: IncidentSummary


@dataclass(frozen=True, slots=True)
class Difference:
    """How the incidents of two judgements differ."""

    added: tuple[IncidentSummary, ...]
    removed: tuple[IncidentSummary, ...]
    changed: tuple[ChangedIncident, ...]
    """Of the same kind and overlapping in time, but different in severity, alert, times or reason."""
    same: int
    """Number of incidents without a difference."""


def judge_again(
    policy: Policy, inputs: Iterable[JudgementInput], end: float | None, seed: str = ""
) -> Iterator[IncidentChange]:
    """The changes that a live session with these inputs publishes under ``policy``.

    Args:
        policy: the policy to judge by.
        inputs: all inputs of the sitting, in the order in which they were applied.
        end: media time at which the session ended; ``None``: time of its last input.
        seed: the sitting's seed, from which its challenges were drawn.
    """
    state, last = initial_state(seed), 0.0
    for item in inputs:
        last = max(last, item.time)
        try:
            state, changes = apply(policy, state, item)
        except Exception:  # noqa: BLE001  # as in a live session, only this input is lost
            _log.exception("an input could not be judged again")
            continue
        yield from changes
    _, changes = finish(policy, state, last if end is None else end)
    yield from changes


def compare(before: Iterable[IncidentSummary], after: Iterable[IncidentSummary]) -> Difference:
    """The difference between two judgements of one sitting. Incident numbers are ignored."""
    left = list(before)
    added, changed, same = [], [], 0
    for incident in after:
        match = next((old for old in left if _is_same_incident(old, incident)), None)
        if match is None:
            added.append(incident)
            continue
        left.remove(match)
        if _compared(match) == _compared(incident):
            same += 1
        else:
            changed.append(ChangedIncident(match, incident))
    return Difference(tuple(added), tuple(left), tuple(changed), same)


def _is_same_incident(one: IncidentSummary, other: IncidentSummary) -> bool:
    """Whether two incidents are of one kind and overlap in time."""
    return (
        one.kind == other.kind
        and one.started_at <= other.started_at + other.duration
        and other.started_at <= one.started_at + one.duration
    )


def _compared(incident: IncidentSummary) -> tuple[object, ...]:
    """The values that make two matching incidents equal."""
    return (
        incident.severity,
        incident.alerted,
        incident.started_at,
        incident.duration,
        incident.reason,
    )
