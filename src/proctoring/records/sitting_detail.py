"""One sitting with its incidents, their evidence and decisions, and consents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from proctoring.records.evidence.path import evidence_path
from proctoring.records.sitting_list import SittingSummary
from proctoring.records.tables import (
    ConsentRow,
    DecisionRow,
    IncidentEvidenceRow,
    IncidentRow,
    PolicyRow,
)

DECISIONS = 10
"""Decisions and comments that are shown of one incident."""


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
    """The first time."""
    times: int = 1
    """How often the same was given; ``last_given_at`` is the last time."""
    last_given_at: datetime | None = None


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
    """The last ``DECISIONS``, and the one that counts."""
    evidence: tuple[StoredEvidence, ...] = ()
    decision_count: int = 0
    """Of all decisions and comments."""

    @property
    def is_open(self) -> bool:
        """Whether it still runs: ``duration`` then reaches to its last change only."""
        return self.state in ("started", "updated")


@dataclass(frozen=True, slots=True)
class SittingDetail:
    """One sitting with a page of its incidents, and its consents."""

    sitting: SittingSummary
    incidents: tuple[IncidentRecord, ...]
    consents: tuple[Consent, ...]
    policy_toml: str
    next_incident: int | None = None
    """``after`` of the next page of incidents; ``None`` on the last one."""


def sitting_detail(
    connection: Connection, sitting: SittingSummary, after: int, limit: int
) -> SittingDetail:
    """Load what belongs to a sitting, with the first ``limit`` incidents after a number."""
    incidents = incidents_after(connection, sitting.id, after, limit)
    consents = connection.execute(
        select(ConsentRow).filter_by(sitting_id=sitting.id).order_by(ConsentRow.addition_number)
    )
    toml = connection.execute(
        select(PolicyRow.toml).filter_by(hash=sitting.policy_hash)
    ).scalar_one()
    return SittingDetail(
        sitting,
        incidents,
        tuple(consent_of(row) for row in consents),
        toml,
        incidents[-1].number if len(incidents) == limit else None,
    )


def consent_of(row: Any) -> Consent:
    """A row of ``consents`` as it is shown."""
    return Consent(
        row.id, row.granted, row.text, row.given_by, row.given_at, row.times, row.last_given_at
    )


def incidents_after(
    connection: Connection, sitting_id: str, after: int, limit: int
) -> tuple[IncidentRecord, ...]:
    """The first ``limit`` incidents of a sitting after a number, in order."""
    rows = connection.execute(
        select(IncidentRow)
        .filter_by(sitting_id=sitting_id)
        .where(IncidentRow.number > after)
        .order_by(IncidentRow.number)
        .limit(limit)
    ).all()
    if not rows:
        return ()
    last = rows[-1].number
    decisions = _decisions(connection, sitting_id, after, last)
    evidence = _evidence(connection, sitting_id, after, last)
    return tuple(
        _incident(row, decisions.get(row.id, []), evidence.get(row.number, [])) for row in rows
    )


def _decisions(
    connection: Connection, sitting_id: str, after: int, last: int
) -> dict[str, list[Row[Any]]]:
    """By incident: its last ``DECISIONS`` and the one that counts, each with the number of all."""
    of = DecisionRow.incident_id
    newest = DecisionRow.addition_number.desc()
    is_comment = DecisionRow.decision == "comment"
    shown = select(IncidentRow.id).filter_by(sitting_id=sitting_id)
    shown = shown.where(IncidentRow.number > after, IncidentRow.number <= last)
    ranked = (
        select(
            DecisionRow,
            func.count().over(partition_by=of).label("total"),
            func.row_number().over(partition_by=of, order_by=newest).label("rank"),
            func.row_number()
            .over(partition_by=of, order_by=(is_comment, newest))
            .label("verdict_rank"),
        )
        .where(DecisionRow.sitting_id == sitting_id, DecisionRow.incident_id.in_(shown))
        .subquery()
    )
    chosen = or_(ranked.c.rank <= DECISIONS, ranked.c.verdict_rank == 1)
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(select(ranked).where(chosen).order_by(ranked.c.addition_number)):
        found[row.incident_id].append(row)
    return found


def _evidence(
    connection: Connection, sitting_id: str, after: int, last: int
) -> dict[int, list[StoredEvidence]]:
    """Evidence by the number of its incident."""
    number = IncidentEvidenceRow.incident_number
    rows = connection.execute(
        select(IncidentEvidenceRow)
        .filter_by(sitting_id=sitting_id)
        .where(number > after, number <= last)
        .order_by(IncidentEvidenceRow.start_media_time, IncidentEvidenceRow.kind)
    )
    found: dict[int, list[StoredEvidence]] = defaultdict(list)
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
        found[row.incident_number].append(piece)
    return found


def _incident(
    row: Row[Any], decisions: Sequence[Row[Any]], evidence: Sequence[StoredEvidence]
) -> IncidentRecord:
    final = [found.decision for found in decisions if found.decision != "comment"]
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
        decisions=tuple(
            Decision(d.id, d.incident_id, d.decision, d.reason, d.reviewer, d.decided_at)
            for d in decisions
        ),
        evidence=tuple(evidence),
        decision_count=decisions[0].total if decisions else 0,
    )
