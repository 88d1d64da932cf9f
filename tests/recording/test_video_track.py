"""A recording is judged as a live session is."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.recording.clips import face, write_clip
from tests.recording.conftest import AnalysedClip

from proctoring.incidents import IncidentChange, IncidentState, fold_changes
from proctoring.judgement import shipped_policy
from proctoring.recording.video_track import analyse_video
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames


def test_absence_and_a_second_person_are_found_where_they_are(analysed_clip: AnalysedClip) -> None:
    found = {
        (incident.kind, round(incident.started_at), round(incident.ended_at))
        for incident in fold_changes(analysed_clip.changes)
    }
    assert ("face.absent", 3, 8) in found
    assert ("person.multiple", 8, 11) in found
    # Between its parts the clip shows another place altogether.
    assert {kind for kind, _, _ in found} == {"face.absent", "person.multiple", "camera.moved"}


def test_it_gives_the_very_changes_of_the_pipeline_on_the_same_frames(
    analysed_clip: AnalysedClip, vision_models: VisionModels
) -> None:
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    changes: list[IncidentChange] = []
    last = 0.0
    for frame in read_frames(analysed_clip.path):
        changes += pipeline.analyse(frame)[1]
        last = frame.time
    assert [*changes, *pipeline.finish(last)] == analysed_clip.changes


def test_only_due_frames_are_looked_at_and_all_are_counted(
    tmp_path: Path, vision_models: VisionModels
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(n / 30, face()) for n in range(31)])
    frames = list(
        analyse_video(clip, Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models)))
    )
    looked = [one.frame.time for one in frames if one.analysis.observation.faces is not None]
    assert looked == pytest.approx([n / 10 for n in range(11)])
    assert len(frames) < 15
    assert frames[-1].frames_read == 31


def test_a_recording_that_stands_still_for_long_lost_its_connection(
    tmp_path: Path, vision_models: VisionModels
) -> None:
    times = [0.0, 0.1, 0.2, 10.2, 10.3]
    clip = write_clip(tmp_path / "clip.mp4", [(time, face()) for time in times])
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    frames = list(analyse_video(clip, pipeline))
    (incident,) = fold_changes(change for analysed in frames for change in analysed.changes)
    assert incident.kind == "session.connection_lost"
    assert (incident.started_at, incident.ended_at) == pytest.approx((1.7, 9.7), abs=0.01)


def test_no_incident_is_left_open_at_the_end(analysed_clip: AnalysedClip) -> None:
    started = [c.number for c in analysed_clip.changes if c.state is IncidentState.STARTED]
    ended = [c.number for c in analysed_clip.changes if c.state is IncidentState.ENDED]
    assert sorted(started) == sorted(ended)
