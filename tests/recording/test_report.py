"""The report on a recording."""

from __future__ import annotations

import json
from dataclasses import replace

from proctoring.capabilities import Capability
from proctoring.incidents import IncidentSummary, Severity
from proctoring.judgement import shipped_policy
from proctoring.recording.audio_track import AudioSummary, Utterance
from proctoring.recording.report import (
    EnrolmentSummary,
    MissingRequirement,
    Report,
    Speed,
    enrolment_summary,
)

REPORT = Report(
    file="a.mp4",
    policy=shipped_policy("exam"),
    capabilities=(Capability("objects", False, "no weights", "yolox_nano"),),
    incidents=(
        IncidentSummary(
            number=1,
            kind="gaze.left",
            label="Looking Left",
            severity=Severity.WARNING,
            started_at=1.0,
            duration=2.5,
            confidence=0.9,
            alerted=True,
            reason="31 degrees left",
        ),
    ),
    enrolment=EnrolmentSummary("ready", (), progress=1.0, ready_at=1.6, limit=15.0),
    speed=Speed(duration=60.0, elapsed=5.0, cpu=6.0, frames=1800, analysed=600),
)


def test_a_report_is_plain_json_with_all_that_one_needs_to_judge_it() -> None:
    values = REPORT.to_json()
    report = json.loads(json.dumps(values))
    assert report == values
    assert report["file"] == "a.mp4"
    assert report["complete"] is True
    assert report["times_real_time"] == 12
    assert report["capabilities"][0]["reason"] == "no weights"
    assert report["enrolment"] == {
        "state": "ready",
        "missing": [],
        "progress": 1.0,
        "ready_at": 1.6,
        "limit": 15.0,
    }
    assert report["incidents"][0]["label"] == "Looking Left"
    assert report["incidents"][0]["ended_at"] == 3.5
    assert report["policy"]["incidents"]["gaze.left"]["persist"] == 2.0
    assert report["sound"] is None


def test_a_report_of_a_damaged_recording_says_so() -> None:
    speed = Speed(duration=0.0, elapsed=0.0, cpu=0.0, frames=1, analysed=1)
    report = replace(REPORT, speed=speed, problem="a.mp4 ends after 1 s")
    assert not report.complete
    values = report.to_json()
    assert (values["complete"], values["problem"]) == (False, "a.mp4 ends after 1 s")
    assert values["times_real_time"] == 0


def test_audio_and_transcript_are_one_part_of_the_json() -> None:
    audio = AudioSummary(seconds=12.0, speech_seconds=7.25, voices=frozenset({1, 2}))
    report = replace(REPORT, audio=audio, transcript=(Utterance(0.5, 2.0, "Hello."),))
    assert report.to_json()["sound"] == {
        "seconds": 12.0,
        "speech_seconds": 7.25,
        "voices": 2,
        "transcript": [{"start": 0.5, "end": 2.0, "text": "Hello."}],
    }
    assert "Hello" not in repr(report)


def test_what_a_candidate_still_lacks_is_typed() -> None:
    guidance = {
        "state": "calibrating",
        "missing": [{"code": "too_dark", "text": "It is too dark."}],
        "progress": 0.4,
        "ready_at": None,
        "limit": 15.0,
    }
    summary = enrolment_summary(guidance)
    assert summary.missing == (MissingRequirement("too_dark", "It is too dark."),)
    assert replace(REPORT, enrolment=summary).to_json()["enrolment"] == guidance
