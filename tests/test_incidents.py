"""Changes are folded into one summary per incident."""

from __future__ import annotations

from dataclasses import replace

from proctoring.incidents import IncidentChange, IncidentState, Severity, fold_changes

STARTED = IncidentChange(
    number=1,
    kind="gaze.left",
    label="Looking Left",
    state=IncidentState.STARTED,
    severity=Severity.WARNING,
    confidence=0.91234,
    started_at=1.0,
    duration=2.0,
    reason="first",
    alerts=True,
)
UPDATED = replace(
    STARTED, state=IncidentState.UPDATED, duration=30.0, reason="second", alerts=False
)
ENDED = replace(STARTED, state=IncidentState.ENDED, duration=31.5, reason="third", alerts=False)


def test_a_summary_has_the_values_of_the_last_change_and_the_alert_of_the_start() -> None:
    (incident,) = fold_changes([STARTED, UPDATED, ENDED])
    assert (incident.started_at, incident.ended_at, incident.duration) == (1.0, 32.5, 31.5)
    assert (incident.reason, incident.alerted, incident.confidence) == ("third", True, 0.912)
    (silent,) = fold_changes([replace(STARTED, alerts=False), ENDED])
    assert not silent.alerted


def test_summaries_are_ordered_by_start_time() -> None:
    earlier = replace(STARTED, number=2, started_at=0.5)
    assert [incident.number for incident in fold_changes([STARTED, earlier])] == [2, 1]
