"""Words for tests of delivery."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.judgement.policy import shipped_policy
from proctoring.records.entries import (
    PendingEvent,
    SittingEnded,
    SittingRef,
    SittingStarted,
    sitting_ref,
)

BEGAN = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)


def change(
    number: int = 1,
    state: IncidentState = IncidentState.STARTED,
    *,
    kind: str = "gaze.left",
    label: str = "Looking Left",
    alerts: bool = True,
) -> IncidentChange:
    """One change of one incident."""
    return IncidentChange(
        number=number,
        kind=kind,
        label=label,
        state=state,
        severity=Severity.WARNING,
        confidence=0.91234,
        started_at=91.4,
        duration=2.0,
        reason="gaze 31 degrees left for 2.0 s (limit 2.0 s)",
        alerts=alerts,
    )


def message(session_id: str = "exam-7", *changes: IncidentChange) -> PendingEvent:
    """An event of a session that began at ``BEGAN``."""
    found_at = datetime(2026, 1, 2, 10, 0, 2, 120_000, tzinfo=UTC)
    return PendingEvent(sitting_ref(session_id, BEGAN), found_at, 93.4, changes or (change(),))


def begun(session_id: str = "exam-7", started_at: datetime = BEGAN) -> SittingStarted:
    """A session's beginning."""
    policy = shipped_policy("exam")
    sitting = sitting_ref(session_id, started_at)
    return SittingStarted(sitting, False, policy.name, policy.to_toml())


def ended(session_id: str = "exam-7", started_at: datetime = BEGAN) -> SittingEnded:
    """Its end."""
    return SittingEnded(sitting_ref(session_id, started_at), BEGAN, 100.0, "ended on request")


@pytest.fixture
def sitting() -> SittingRef:
    """One sitting."""
    return sitting_ref("exam-7", BEGAN)
