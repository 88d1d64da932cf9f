"""What differs between the incidents of two sessions of one recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evaluation.gating.sessions import Look
from proctoring.incidents import IncidentSummary

MAX_MOVED = 0.2
"""Seconds by which a start may move."""
_SAME = 1.0
"""Seconds between the starts of two incidents that do not overlap and are still taken for the same."""
_ROUNDING = 1e-6


class What(StrEnum):
    """How an incident differs."""

    LOST = "lost"
    ADDED = "added"
    START = "start moved"
    ALERT = "alert differs"
    END = "end moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One incident that is not the same on both sides."""

    what: What
    kind: str
    time: float
    """Start of the incident in seconds: ungated, or gated if it was added."""
    seconds: float = 0.0
    """By how much start or end moved; positive: later when gated."""

    @property
    def fails(self) -> bool:
        """Whether it must not be: an end that moved is only reported."""
        return self.what is not What.END

    def __str__(self) -> str:
        by = f" by {self.seconds:+.2f} s" if self.seconds else ""
        return f"{self.kind} at {self.time:.1f} s: {self.what}{by}"


def differences(
    ungated: Iterable[IncidentSummary], gated: Iterable[IncidentSummary]
) -> list[Difference]:
    """All differences, ordered by time. An end counts as moved by the limit of starts."""
    left, right = list(ungated), list(gated)
    found: list[Difference] = []
    for kind in sorted({incident.kind for incident in left + right}):
        before = [incident for incident in left if incident.kind == kind]
        after = [incident for incident in right if incident.kind == kind]
        found += _of_kind(kind, before, after)
    return sorted(found, key=lambda difference: (difference.time, difference.kind))


def _of_kind(
    kind: str, before: list[IncidentSummary], after: list[IncidentSummary]
) -> Iterator[Difference]:
    pairs = sorted(
        (abs(one.started_at - other.started_at), n, m)
        for n, one in enumerate(before)
        for m, other in enumerate(after)
        if _may_be_one(one, other)
    )
    paired: dict[int, int] = {}
    for _, n, m in pairs:
        if n not in paired and m not in paired.values():
            paired[n] = m
    for n, one in enumerate(before):
        if n not in paired:
            yield Difference(What.LOST, kind, one.started_at)
            continue
        other = after[paired[n]]
        for what, moved in (
            (What.START, other.started_at - one.started_at),
            (What.END, other.ended_at - one.ended_at),
        ):
            if abs(moved) > MAX_MOVED + _ROUNDING:
                yield Difference(what, kind, one.started_at, round(moved, 3))
        if one.alerted != other.alerted:
            yield Difference(What.ALERT, kind, one.started_at)
    for m, other in enumerate(after):
        if m not in paired.values():
            yield Difference(What.ADDED, kind, other.started_at)


def _may_be_one(one: IncidentSummary, other: IncidentSummary) -> bool:
    apart = max(one.started_at, other.started_at) - min(one.ended_at, other.ended_at)
    return apart <= 0 or abs(one.started_at - other.started_at) <= _SAME


@dataclass(frozen=True, slots=True)
class Deviation:
    """How far the candidate's measurements are apart, in frames of the same time, in degrees."""

    frames: int
    """Frames in which both sides measured."""
    percentile_95: float
    largest: float
    one_only: int
    """Frames in which only one side measured."""


def deviation(ungated: Iterable[Look], gated: Iterable[Look], name: str) -> Deviation:
    """Compare one measurement (a field of ``Look``) frame by frame."""
    after = {look.time: getattr(look, name) for look in gated}
    apart: list[float] = []
    one_only = 0
    for look in ungated:
        one, other = getattr(look, name), after.get(look.time)
        if one is not None and other is not None:
            apart.append(abs(one - other))
        elif one is not other:
            one_only += 1
    if not apart:
        return Deviation(0, 0.0, 0.0, one_only)
    return Deviation(len(apart), float(np.percentile(apart, 95)), max(apart), one_only)
