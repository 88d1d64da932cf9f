"""What a session's counters tell of its incidents."""

from __future__ import annotations

from dataclasses import replace

from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.session.counters import SessionCounters
from proctoring.session.outcomes import JudgementUpdate

PHONE = IncidentChange(
    number=1,
    kind="object.phone",
    label="Mobile Phone Detected",
    state=IncidentState.STARTED,
    severity=Severity.VIOLATION,
    confidence=0.9,
    started_at=10.0,
    duration=1.0,
    reason="a phone for 1.0 s",
    alerts=True,
)
GLANCE = replace(PHONE, number=2, kind="gaze.left", severity=Severity.WARNING, started_at=20.0)


def counted(*changes: IncidentChange) -> SessionCounters:
    counters = SessionCounters()
    for change in changes:
        counters.accept(JudgementUpdate(change.started_at, (change,)))
    return counters


def test_an_older_violation_comes_before_a_newer_warning() -> None:
    assert [one.number for one in counted(GLANCE, PHONE).open_incidents] == [1, 2]
    assert [one.number for one in counted(PHONE, GLANCE).open_incidents] == [1, 2]


def test_an_incident_has_the_severity_of_its_last_change_and_none_once_it_ended() -> None:
    worse = replace(GLANCE, state=IncidentState.UPDATED, severity=Severity.VIOLATION, alerts=False)
    assert counted(GLANCE, worse).open_incidents == (worse,)
    assert counted(GLANCE, replace(worse, state=IncidentState.ENDED)).open_incidents == ()


def test_the_last_alert_is_the_newest_that_alerted() -> None:
    quiet = replace(PHONE, number=3, started_at=30.0, alerts=False)
    assert counted(PHONE, GLANCE, quiet).last_alert == GLANCE
    assert counted(quiet).last_alert is None
