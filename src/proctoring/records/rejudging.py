"""Judges a recorded sitting again, under the same policy or another, and compares the results."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from proctoring.incidents import IncidentChange, IncidentSummary
from proctoring.judgement.inputs import JudgementInput
from proctoring.judgement.judge import finish
from proctoring.judgement.policy import Policy
from proctoring.judgement.reducer import apply
from proctoring.judgement.state import initial_state

_log = logging.getLogger(__name__)

MAX_LISTED = 1000
"""Incidents in each list of a comparison."""


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
    added_count: int
    """Of all that were added, of which ``added`` lists the first ``MAX_LISTED``."""
    removed_count: int
    changed_count: int


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


def compare(
    before: Iterable[IncidentSummary], after: Iterable[IncidentSummary], listed: int = MAX_LISTED
) -> Difference:
    """The difference between two judgements of one sitting. Incident numbers are ignored.

    Args:
        before: ordered by number.
        after: ordered by start.
        listed: incidents in each list, at most.
    """
    left: dict[str, deque[IncidentSummary]] = defaultdict(deque)
    for incident in sorted(before, key=lambda one: one.started_at):
        left[incident.kind].append(incident)
    added, removed, changed, same = [], [], [], 0
    for incident in after:
        own = left[incident.kind]
        # Incidents of one kind do not overlap each other: what ended before has no counterpart.
        while own and own[0].started_at + own[0].duration < incident.started_at:
            removed.append(own.popleft())
        if not own or not _is_same_incident(own[0], incident):
            added.append(incident)
        elif _compared(own[0]) == _compared(incident):
            own.popleft()
            same += 1
        else:
            changed.append(ChangedIncident(own.popleft(), incident))
    removed += chain.from_iterable(left.values())
    removed.sort(key=lambda one: (one.started_at, one.number))
    counts = (len(added), len(removed), len(changed))
    lists = (tuple(added[:listed]), tuple(removed[:listed]), tuple(changed[:listed]))
    return Difference(*lists, same, *counts)


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
