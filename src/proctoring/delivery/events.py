"""The message that listeners get: contract 1.2."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ulid import ULID

from proctoring.incidents import Evidence, IncidentChange, IncidentState
from proctoring.records.entries import SittingEnded, SittingStarted
from proctoring.records.evidence.path import evidence_path


@dataclass(frozen=True, slots=True)
class SittingRef:
    """One session under its name; the name may be used again, the sitting may not."""

    session_id: str
    began_at: datetime
    """Wall clock, UTC."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What listeners are told beside incidents: how enrolment stands, a challenge, words."""

    kind: str
    """The key under which it stands in the message: ``enrolment``, ``challenge``, ``transcript``."""
    body: Mapping[str, Any] = field(repr=False)
    """JSON values. May hold words of a candidate: never part of a log message."""
    kept: bool = True
    """``False``: listeners hear it once; records only hold that there was something of the kind."""


@dataclass(frozen=True, slots=True)
class Message:
    """What changed at one moment of one session, before it has its number."""

    sitting: SittingRef
    time: datetime
    """Wall clock, UTC, when it was found."""
    media_time: float
    """Media time of the observation that changed it, in seconds."""
    changes: tuple[IncidentChange, ...]
    notice: Notice | None = None
    """Something to tell that is no incident."""

    @property
    def session_id(self) -> str:
        """The name of its session."""
        return self.sitting.session_id


Entry = SittingStarted | Message | SittingEnded
"""What happens in a sitting, in this order."""


@dataclass(frozen=True, slots=True)
class Event:
    """A message with its number, as it goes out."""

    session_id: str
    seq: int
    """Rises by one per message of one session id and never repeats."""
    text: str
    """The JSON text of contract 1.2."""


def beginning(
    sitting: SittingRef, policy_name: str, policy_toml: str, *, mirrored: bool, seed: str = ""
) -> SittingStarted:
    """That a sitting begins: before its first message."""
    names = (sitting_id(sitting), sitting.session_id)
    return SittingStarted(*names, sitting.began_at, mirrored, policy_name, policy_toml, seed)


def ending(
    sitting: SittingRef,
    time: datetime,
    media_time: float,
    reason: str,
    face: tuple[float, ...] | None = None,
) -> SittingEnded:
    """That a sitting is over: after its last message. ``reason``: in words for its listeners."""
    names = (sitting_id(sitting), sitting.session_id)
    return SittingEnded(*names, time, media_time, reason, face)


def incident_id(sitting: SittingRef, number: int) -> str:
    """The ULID of a sitting's incident: the same wherever and whenever it is asked for.

    Sorts by the sitting's beginning, then by number; the last six bytes tell apart sittings that
    began in the same millisecond.
    """
    milliseconds = int(sitting.began_at.timestamp() * 1000)
    digest = hashlib.sha256(f"{sitting.session_id}\n{milliseconds}".encode()).digest()
    return str(
        ULID.from_bytes(milliseconds.to_bytes(6, "big") + number.to_bytes(4, "big") + digest[:6])
    )


def sitting_id(sitting: SittingRef) -> str:
    """The ULID of a sitting; its incidents' ids follow it."""
    return incident_id(sitting, 0)


def iso_time(time: datetime) -> str:
    """``2026-01-02T10:00:02.120Z``."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number_message(message: Message, seq: int) -> Event:
    """The message as it goes out under ``seq``."""
    body: dict[str, Any] = {
        "alerts": [
            change.label
            for change in message.changes
            if change.alerts and change.state is IncidentState.STARTED
        ],
        "session_id": message.sitting.session_id,
        "seq": seq,
        "time": iso_time(message.time),
        "media_time": round(message.media_time, 3),
        "incidents": [_incident(message.sitting, change) for change in message.changes],
    }
    if message.notice is not None:
        body[message.notice.kind] = dict(message.notice.body)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Event(message.sitting.session_id, seq, text)


def _evidence(sitting: SittingRef, evidence: Evidence) -> dict[str, Any]:
    return {
        "digest": evidence.digest,
        "kind": evidence.kind,
        "media_type": evidence.media_type,
        "start": round(evidence.start, 3),
        "end": round(evidence.end, 3),
        "bytes": evidence.size,
        "blurred": evidence.blurred,
        "url": evidence_path(sitting_id(sitting), evidence.digest),
    }


def _incident(sitting: SittingRef, change: IncidentChange) -> dict[str, Any]:
    return {
        "id": incident_id(sitting, change.number),
        "kind": change.kind,
        "label": change.label,
        "state": change.state.value,
        "severity": change.severity.value,
        "confidence": round(change.confidence, 3),
        "started_at": round(change.started_at, 3),
        "duration": round(change.duration, 3),
        "reason": change.reason,
        "evidence": [_evidence(sitting, item) for item in change.evidence],
    }
