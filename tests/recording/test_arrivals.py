"""Media that stops within a recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.recording.clips import nobody, write_clip, write_clip_with_sound, write_sound

from proctoring.audio.networks import AudioModels
from proctoring.incidents import IncidentSummary, Severity, fold_changes
from proctoring.judgement import Policy, parse_policy, shipped_policy
from proctoring.judgement.inputs import JudgementInput
from proctoring.recording.audio_track import AudioTrack, analyse_audio
from proctoring.recording.media import probe
from proctoring.recording.run import run_audio, run_video
from proctoring.records.rejudging import judge_again
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels

Pcm = NDArray[np.int16]
DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())
BLIND = VisionModels(faces=None, objects=None, capabilities=())
RATE = 16_000


def room(seconds: float) -> Pcm:
    """Noise of a quiet room."""
    return np.random.default_rng(0).normal(0, 3, round(seconds * RATE)).astype(np.int16)


def pictures(seconds: float) -> list[tuple[float, NDArray[np.uint8]]]:
    return [(time, nobody()) for time in np.arange(0, seconds, 1.0)]


def policy(kind: str, rule: str) -> Policy:
    return parse_policy(f'name = "oral"\n[incidents."{kind}"]\n{rule}')


def found(path: Path, judged_by: Policy | None = None) -> dict[str, IncidentSummary]:
    """The incidents of media by kind. Judging the recorded inputs again must give the same."""
    inputs: list[JudgementInput] = []
    used = judged_by or shipped_policy("exam")
    pipeline = Pipeline(used, VisionAnalyser(BLIND), record=inputs.append)
    recording = probe(path)
    track = AudioTrack(analyse_audio(path, DEAF, origin=recording.origin))
    run = run_video if recording.has_video else run_audio
    changes = run(recording, pipeline, track, lambda _done, _total: None).changes
    again = list(judge_again(used, inputs, None))
    assert fold_changes(again) == fold_changes(changes)
    return {incident.kind: incident for incident in fold_changes(changes)}


def test_sound_that_ends_early_is_lost(tmp_path: Path) -> None:
    clip = write_clip_with_sound(tmp_path / "a.mkv", pictures(30), 0.0, room(5))
    incidents = found(clip, policy("audio.lost", "warning_after = 15"))
    assert incidents.keys() == {"audio.lost"}
    lost = incidents["audio.lost"]
    assert lost.started_at == pytest.approx(6.5)
    assert lost.ended_at == pytest.approx(29.0, abs=1.0)
    assert lost.severity is Severity.WARNING


def test_pictures_that_end_early_are_lost(tmp_path: Path) -> None:
    clip = write_clip_with_sound(tmp_path / "a.mkv", pictures(5), 0.0, room(60))
    incidents = found(clip)
    assert incidents.keys() == {"camera.lost"}
    assert incidents["camera.lost"].started_at == pytest.approx(5.5)
    assert incidents["camera.lost"].ended_at == pytest.approx(60, abs=1.0)


def test_a_track_of_zeros_is_a_silent_microphone_and_a_quiet_room_none(tmp_path: Path) -> None:
    soon = policy("audio.silent", "persist = 8")
    zeros = np.zeros(10 * RATE, np.int16)
    silent = write_clip_with_sound(tmp_path / "a.mkv", pictures(10), 0.0, zeros)
    assert found(silent, soon).keys() == {"audio.silent"}
    quiet = write_clip_with_sound(tmp_path / "b.mkv", pictures(10), 0.0, room(10))
    assert found(quiet, soon) == {}


def test_a_recording_without_a_track_is_accused_only_where_one_is_required(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "a.mp4", pictures(20))
    assert found(clip) == {}
    required = parse_policy('name = "oral"\n[audio]\nrequired = true')
    assert found(clip, required).keys() == {"audio.lost"}


def test_sound_alone_lost_no_camera(tmp_path: Path) -> None:
    assert found(write_sound(tmp_path / "a.wav", room(30))) == {}
