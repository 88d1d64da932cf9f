"""Collects changes of incidents and writes their rows together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, insert, update
from sqlalchemy.dialects import postgresql, sqlite

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.records.entries import SittingRef, incident_id
from proctoring.records.tables import IncidentEvidenceRow, IncidentRow

_CHANGING = (
    "severity",
    "state",
    "confidence",
    "start_media_time",
    "duration",
    "reason",
    "last_seq",
)
"""Columns that a change after the first one sets."""


class IncidentChanges:
    """Changes of one batch. Several changes of one incident cost one statement."""

    def __init__(self) -> None:
        self._incidents: dict[tuple[str, int], dict[str, Any]] = {}
        self._new: set[tuple[str, int]] = set()
        self._evidence: dict[tuple[str, int, str], dict[str, Any]] = {}

    def add(self, sitting: SittingRef, seq: int, change: IncidentChange) -> None:
        """Add a change that is published in the event ``seq``."""
        key = (sitting.id, change.number)
        values = self._incidents.setdefault(key, {})
        if change.state is IncidentState.STARTED:
            self._new.add(key)
            values |= {
                "id": incident_id(sitting, change.number),
                "kind": change.kind,
                "label": change.label,
                "alerted": change.alerts,
                "first_seq": seq,
            }
        values |= {
            "severity": change.severity.value,
            "state": change.state.value,
            "confidence": change.confidence,
            "start_media_time": change.started_at,
            "duration": change.duration,
            "reason": change.reason,
            "last_seq": seq,
        }
        for piece in change.evidence:
            self._evidence[*key, piece.digest] = {
                "sitting_id": sitting.id,
                "incident_number": change.number,
                "digest": piece.digest,
                "kind": piece.kind,
                "media_type": piece.media_type,
                "start_media_time": piece.start,
                "end_media_time": piece.end,
                "size_bytes": piece.size,
                "blurred": piece.blurred,
            }

    def flush(self, connection: Connection) -> None:
        """Write and forget what was added."""
        new = [
            {"sitting_id": sitting_id, "number": number} | values
            for (sitting_id, number), values in self._incidents.items()
            if (sitting_id, number) in self._new
        ]
        if new:
            connection.execute(insert(IncidentRow), new)
        changed = [
            {"of": sitting_id, "at": number} | values
            for (sitting_id, number), values in self._incidents.items()
            if (sitting_id, number) not in self._new
        ]
        if changed:
            connection.execute(
                update(IncidentRow)
                .where(IncidentRow.sitting_id == bindparam("of"))
                .where(IncidentRow.number == bindparam("at"))
                .values({name: bindparam(name) for name in _CHANGING}),
                changed,
            )
        if self._evidence:  # every change of an incident names all its evidence, old and new
            connection.execute(
                _new_evidence(connection).on_conflict_do_nothing(), list(self._evidence.values())
            )
        self._incidents, self._new, self._evidence = {}, set(), {}


def _new_evidence(connection: Connection) -> sqlite.Insert | postgresql.Insert:
    on_sqlite = connection.dialect.name == "sqlite"
    return (sqlite.insert if on_sqlite else postgresql.insert)(IncidentEvidenceRow)
