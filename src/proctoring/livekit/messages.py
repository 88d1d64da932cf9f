"""The server's event message, parsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class BadEventError(ValueError):
    """A message on the events socket that is no event."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One change of an incident."""

    id: str
    kind: str
    """``gaze.left``, ``face.absent``, ..."""
    label: str
    state: str
    """``started``, ``updated`` or ``ended``."""
    severity: str
    """``info``, ``warning`` or ``violation``."""
    confidence: float
    started_at: float
    """Media time in seconds."""
    duration: float
    """Seconds."""
    reason: str


@dataclass(frozen=True, slots=True)
class ProctoringEvent:
    """One event of the server. ``alerts`` are the labels of incidents that start in it."""

    alerts: tuple[str, ...]
    session_id: str
    seq: int
    time: datetime
    media_time: float
    incidents: tuple[Incident, ...]
    json: str
    """The message as received, with every field."""


def parse_event(text: str | bytes) -> ProctoringEvent:
    """Parse one message; fields unknown here remain in ``json``.

    Raises ``BadEventError`` when it is no event.
    """
    try:
        message: Mapping[str, Any] = json.loads(text)
        return ProctoringEvent(
            alerts=tuple(str(label) for label in message["alerts"]),
            session_id=str(message["session_id"]),
            seq=int(message["seq"]),
            time=datetime.fromisoformat(message["time"]),
            media_time=float(message["media_time"]),
            incidents=tuple(_incident(each) for each in message["incidents"]),
            json=text if isinstance(text, str) else text.decode(),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadEventError(f"not an events message: {error!r}") from error


def _incident(each: Mapping[str, Any]) -> Incident:
    return Incident(
        id=str(each["id"]),
        kind=str(each["kind"]),
        label=str(each["label"]),
        state=str(each["state"]),
        severity=str(each["severity"]),
        confidence=float(each["confidence"]),
        started_at=float(each["started_at"]),
        duration=float(each["duration"]),
        reason=str(each["reason"]),
    )
