"""Incidents from their changes, and the report."""

from __future__ import annotations

import json
from dataclasses import replace

from proctoring.capabilities import Capability
from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.judgement import shipped_policy
from proctoring.recording.report import Speed, as_json, collect

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


def test_the_last_change_of_an_incident_tells_it_and_its_start_whether_it_alerted() -> None:
    (incident,) = collect([STARTED, UPDATED, ENDED])
    assert (incident.started_at, incident.ended_at, incident.duration) == (1.0, 32.5, 31.5)
    assert (incident.reason, incident.alerted, incident.confidence) == ("third", True, 0.912)
    (silent,) = collect([replace(STARTED, alerts=False), ENDED])
    assert not silent.alerted


def test_incidents_come_in_the_order_of_their_beginning() -> None:
    earlier = replace(STARTED, number=2, started_at=0.5)
    assert [incident.number for incident in collect([STARTED, earlier])] == [2, 1]


READY = {"state": "ready", "missing": [], "progress": 1.0, "ready_at": 1.6, "limit": 15.0}


def test_a_report_is_plain_json_with_all_that_one_needs_to_judge_it() -> None:
    capability = Capability("objects", available=False, reason="no weights", model="yolox_nano")
    speed = Speed(duration=60.0, elapsed=5.0, cpu=6.0, pictures=1800, analysed=600)
    values = as_json(
        "a.mp4", shipped_policy("exam"), (capability,), collect([STARTED]), speed, READY
    )
    report = json.loads(json.dumps(values))
    assert report["file"] == "a.mp4"
    assert report["complete"] is True
    assert report["times_real_time"] == 12
    assert report["capabilities"][0]["reason"] == "no weights"
    assert report["enrolment"]["ready_at"] == 1.6
    assert report["incidents"][0]["label"] == "Looking Left"
    assert report["policy"]["incidents"]["gaze.left"]["persist"] == 2.0


def test_a_report_of_a_damaged_recording_says_so() -> None:
    speed = Speed(duration=0.0, elapsed=0.0, cpu=0.0, pictures=1, analysed=1)
    report = as_json("a.mp4", shipped_policy("exam"), (), (), speed, READY, "a.mp4 ends after 1 s")
    assert (report["complete"], report["problem"]) == (False, "a.mp4 ends after 1 s")
    assert report["times_real_time"] == 0
