"""The report on a recording."""

from __future__ import annotations

import json

from proctoring.capabilities import Capability
from proctoring.incidents import IncidentSummary, Severity
from proctoring.judgement import shipped_policy
from proctoring.recording.report import Speed, as_json

INCIDENT = IncidentSummary(
    number=1,
    kind="gaze.left",
    label="Looking Left",
    severity=Severity.WARNING,
    started_at=1.0,
    duration=2.0,
    confidence=0.912,
    alerted=True,
    reason="first",
)

READY = {"state": "ready", "missing": [], "progress": 1.0, "ready_at": 1.6, "limit": 15.0}


def test_a_report_is_plain_json_with_all_that_one_needs_to_judge_it() -> None:
    capability = Capability("objects", available=False, reason="no weights", model="yolox_nano")
    speed = Speed(duration=60.0, elapsed=5.0, cpu=6.0, pictures=1800, analysed=600)
    values = as_json("a.mp4", shipped_policy("exam"), (capability,), (INCIDENT,), speed, READY)
    report = json.loads(json.dumps(values))
    assert report["file"] == "a.mp4"
    assert report["complete"] is True
    assert report["times_real_time"] == 12
    assert report["capabilities"][0]["reason"] == "no weights"
    assert report["enrolment"]["ready_at"] == 1.6
    assert report["incidents"][0]["label"] == "Looking Left"
    assert report["incidents"][0]["ended_at"] == 3.0
    assert report["policy"]["incidents"]["gaze.left"]["persist"] == 2.0


def test_a_report_of_a_damaged_recording_says_so() -> None:
    speed = Speed(duration=0.0, elapsed=0.0, cpu=0.0, pictures=1, analysed=1)
    report = as_json("a.mp4", shipped_policy("exam"), (), (), speed, READY, "a.mp4 ends after 1 s")
    assert (report["complete"], report["problem"]) == (False, "a.mp4 ends after 1 s")
    assert report["times_real_time"] == 0
