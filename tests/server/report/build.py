"""A sitting made by hand, as it would be read from the records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from proctoring.records.sitting_detail import Decision, IncidentRecord, SittingDetail
from proctoring.records.sitting_list import SittingSummary

BEGAN = datetime(2026, 1, 2, 10, 0, tzinfo=UTC)

INCIDENT = IncidentRecord(
    id="01KDZ2CN80000000F6FMQ3VH2M",
    number=1,
    kind="gaze.left",
    label="Looking Left",
    severity="warning",
    state="ended",
    alerted=True,
    confidence=0.91,
    started_at=91.4,
    duration=4.2,
    reason="gaze 31 degrees left for 4.2 s (limit 2.0 s)",
    first_seq=1,
    last_seq=2,
    decision=None,
    decisions=(),
)


def decided(incident: IncidentRecord, decision: str, reason: str) -> IncidentRecord:
    """The incident with what a reviewer said of it."""
    said = Decision("01D", incident.id, decision, reason, "reviewer", BEGAN + timedelta(hours=3))
    return replace(incident, decision=decision, decisions=(said,))


def sitting_detail(*incidents: IncidentRecord, session_id: str = "exam-7") -> SittingDetail:
    """A sitting of ten minutes with these incidents."""
    sitting = SittingSummary(
        id="01KDZ2CN80AAAAAAAAAAAAAAAA",
        session_id=session_id,
        started_at=BEGAN,
        ended_at=BEGAN + timedelta(minutes=10),
        state="ended",
        end_reason="ended on request",
        mirrored=False,
        policy="exam",
        policy_hash="ab" * 32,
        media_time=600.0,
        last_seq=2,
        events=2,
        incidents=len(incidents),
        alerts=len(incidents),
        violations=0,
        undecided=len(incidents),
        signals_lost=0,
        seal="sealed",
    )
    return SittingDetail(sitting, incidents, (), 'name = "exam"\n')
