"""Events as listeners receive them: numbered, as JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proctoring.incidents import Evidence, IncidentChange, IncidentState
from proctoring.records.entries import PendingEvent, SittingRef, incident_id
from proctoring.records.evidence.path import evidence_path


@dataclass(frozen=True, slots=True)
class Event:
    """A numbered event."""

    session_id: str
    seq: int
    """Rises by one per event of a session id and never repeats."""
    text: str
    """JSON: ``docs/integrate/sockets.md`` describes it."""


def iso_time(time: datetime) -> str:
    """``2026-01-02T10:00:02.120Z``."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def number_event(pending: PendingEvent, seq: int) -> Event:
    """The event as listeners receive it under ``seq``."""
    body: dict[str, Any] = {
        "alerts": [
            change.label
            for change in pending.changes
            if change.alerts and change.state is IncidentState.STARTED
        ],
        "session_id": pending.sitting.session_id,
        "seq": seq,
        "time": iso_time(pending.time),
        "media_time": round(pending.media_time, 3),
        "incidents": [_incident(pending.sitting, change) for change in pending.changes],
    }
    if pending.notice is not None:
        body[pending.notice.kind] = dict(pending.notice.body)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Event(pending.sitting.session_id, seq, text)


def _evidence(sitting: SittingRef, evidence: Evidence) -> dict[str, Any]:
    return {
        "digest": evidence.digest,
        "kind": evidence.kind,
        "media_type": evidence.media_type,
        "start": round(evidence.start, 3),
        "end": round(evidence.end, 3),
        "bytes": evidence.size,
        "blurred": evidence.blurred,
        "url": evidence_path(sitting.id, evidence.digest),
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
