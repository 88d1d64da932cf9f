"""One sitting with its incidents, their evidence and decisions, and consents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from proctoring.records.evidence.path import evidence_path
from proctoring.records.sitting_list import SittingSummary
from proctoring.records.tables import (
    ConsentRow,
    DecisionRow,
    IncidentEvidenceRow,
    IncidentRow,
    PolicyRow,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A reviewer's decision on an incident."""

    id: str
    incident_id: str
    decision: str
    reason: str
    reviewer: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """A candidate's consent, given or withdrawn."""

    id: str
    granted: bool
    text: str
    """What the candidate was shown."""
    given_by: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """A still or a clip of an incident."""

    digest: str
    """SHA-256 of the content."""
    kind: str
    """``still`` or ``clip``."""
    media_type: str
    start: float
    """Media time of the first picture, in seconds."""
    end: float
    size: int
    """Bytes."""
    blurred: bool
    """Whether bystanders were made unrecognisable."""
    url: str
    """Path on this server that serves it."""


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident as its last change left it, with reviewers' decisions."""

    id: str
    number: int
    kind: str
    label: str
    severity: str
    state: str
    """``started`` or ``updated`` (it runs), ``ended``, ``interrupted`` (its server died)."""
    alerted: bool
    confidence: float
    started_at: float
    """Media time in seconds."""
    duration: float
    reason: str
    first_seq: int
    last_seq: int
    decision: str | None
    """The last of ``confirm`` and ``dismiss``."""
    decisions: tuple[Decision, ...]
    evidence: tuple[StoredEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class SittingDetail:
    """One sitting with its incidents and consents."""

    sitting: SittingSummary
    incidents: tuple[IncidentRecord, ...]
    consents: tuple[Consent, ...]
    policy_toml: str


def sitting_detail(connection: Connection, sitting: SittingSummary) -> SittingDetail:
    """Load what belongs to a sitting."""
    decisions = [
        Decision(row.id, row.incident_id, row.decision, row.reason, row.reviewer, row.decided_at)
        for row in connection.execute(
            select(DecisionRow)
            .filter_by(sitting_id=sitting.id)
            .order_by(DecisionRow.addition_number)
        )
    ]
    evidence = _evidence(connection, sitting.id)
    incidents = connection.execute(
        select(IncidentRow).filter_by(sitting_id=sitting.id).order_by(IncidentRow.number)
    )
    consents = connection.execute(
        select(ConsentRow).filter_by(sitting_id=sitting.id).order_by(ConsentRow.addition_number)
    )
    toml = connection.execute(
        select(PolicyRow.toml).filter_by(hash=sitting.policy_hash)
    ).scalar_one()
    return SittingDetail(
        sitting,
        tuple(_incident(row, decisions, evidence.get(row.number, ())) for row in incidents),
        tuple(Consent(c.id, c.granted, c.text, c.given_by, c.given_at) for c in consents),
        toml,
    )


def _evidence(connection: Connection, sitting_id: str) -> dict[int, tuple[StoredEvidence, ...]]:
    """A sitting's evidence by the number of its incident."""
    rows = connection.execute(
        select(IncidentEvidenceRow)
        .filter_by(sitting_id=sitting_id)
        .order_by(IncidentEvidenceRow.start_media_time, IncidentEvidenceRow.kind)
    )
    found: dict[int, tuple[StoredEvidence, ...]] = {}
    for row in rows:
        piece = StoredEvidence(
            digest=row.digest,
            kind=row.kind,
            media_type=row.media_type,
            start=round(row.start_media_time, 3),
            end=round(row.end_media_time, 3),
            size=row.size_bytes,
            blurred=row.blurred,
            url=evidence_path(sitting_id, row.digest),
        )
        found[row.incident_number] = (*found.get(row.incident_number, ()), piece)
    return found


def _incident(
    row: Row[Any], decisions: Sequence[Decision], evidence: tuple[StoredEvidence, ...]
) -> IncidentRecord:
    own = tuple(found for found in decisions if found.incident_id == row.id)
    final = [found.decision for found in own if found.decision != "comment"]
    return IncidentRecord(
        id=row.id,
        number=row.number,
        kind=row.kind,
        label=row.label,
        severity=row.severity,
        state=row.state,
        alerted=row.alerted,
        confidence=round(row.confidence, 3),
        started_at=round(row.start_media_time, 3),
        duration=round(row.duration, 3),
        reason=row.reason,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        decision=final[-1] if final else None,
        decisions=own,
        evidence=evidence,
    )
