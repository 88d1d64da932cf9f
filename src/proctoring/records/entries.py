"""What is recorded of a sitting, in the order in which it happened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ulid import ULID

from proctoring.incidents import IncidentChange
from proctoring.judgement.state import JudgementState


@dataclass(frozen=True, slots=True)
class SittingRef:
    """Identifies a sitting: a session id may be used again, a sitting's own id may not."""

    id: str
    """ULID; ``sitting_ref`` computes it."""
    session_id: str
    started_at: datetime
    """Wall clock, with its zone."""
    epoch: int = 1
    """Which of its owners writes: 1 is the server that began it (``records/ownership.py``)."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What an event says beside incidents: state of the enrolment, a challenge, a transcript."""

    kind: str
    """Its key in the event's JSON: ``enrolment``, ``challenge``, ``transcript``, ..."""
    body: Mapping[str, Any] = field(repr=False)
    """JSON values. May hold a candidate's words: never part of a log message."""
    kept: bool = True
    """``False``: listeners receive it; in the records its body is ``{"kept": false}``."""


@dataclass(frozen=True, slots=True)
class SittingStarted:
    """A sitting starts."""

    sitting: SittingRef
    mirrored: bool
    policy_name: str
    policy_toml: str
    seed: str = field(default="", repr=False)
    """Challenges are drawn from it; needed to judge the sitting again exactly."""
    exclusive: bool = False
    """An open sitting of the session id goes on, and this one does not start. Otherwise that one is
    interrupted: its server is no longer believed to live."""


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """What changed at one moment of a sitting, before it has its number."""

    sitting: SittingRef
    time: datetime
    """Wall clock, with its zone, when it was found."""
    media_time: float
    """Media time in seconds of the observation that changed it."""
    changes: tuple[IncidentChange, ...]
    notice: Notice | None = None
    state: JudgementState | None = field(default=None, repr=False)
    """Judgement after it: stored in the same transaction, for a process that continues the sitting."""


@dataclass(frozen=True, slots=True)
class SittingSaved:
    """What another process needs to continue a sitting, after the entries before it. Personal data.

    The parts are of the session's own types, for ``snapshots.encode``; ``None``: as stored before.
    """

    sitting: SittingRef
    time: datetime
    """Wall clock, with its zone."""
    media_time: float
    """Seconds."""
    judgement: JudgementState = field(repr=False)
    hot: object | None = field(default=None, repr=False)
    learned: object | None = field(default=None, repr=False)
    biometrics: object | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SittingEnded:
    """A sitting ended; nothing more is recorded of it."""

    sitting: SittingRef
    time: datetime
    media_time: float
    reason: str
    """One sentence for listeners and records."""
    face: tuple[float, ...] | None = field(default=None, repr=False)
    """The candidate's embedding, where the policy keeps it."""


Entry = SittingStarted | PendingEvent | SittingSaved | SittingEnded


def sitting_ref(session_id: str, started_at: datetime) -> SittingRef:
    """The sitting of a session that began at this moment, to the millisecond: always the same."""
    milliseconds = int(started_at.timestamp() * 1000)
    return SittingRef(
        _ulid(milliseconds, 0, f"{session_id}\n{milliseconds}"), session_id, started_at
    )


def incident_id(sitting: SittingRef, number: int) -> str:
    """The ULID of a sitting's incident, computed from the sitting and the incident's number.

    Ids sort by the sitting's start, then by number.
    """
    return _ulid(int(sitting.started_at.timestamp() * 1000), number, sitting.id)


def _ulid(milliseconds: int, number: int, name: str) -> str:
    """Six bytes of time, four of number, six of the name's digest: no two sittings that start in the
    same millisecond have the same."""
    digest = hashlib.sha256(name.encode()).digest()
    return str(
        ULID.from_bytes(milliseconds.to_bytes(6, "big") + number.to_bytes(4, "big") + digest[:6])
    )
