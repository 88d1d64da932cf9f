"""``proctoring.analyse`` as a program uses it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from tests.recording.clips import face, nobody, write_clip, write_sound

import proctoring
from proctoring.audio.networks import AudioModels
from proctoring.errors import (
    BadPhotoError,
    BadPolicyError,
    BadRecordingError,
    BadVoiceError,
    DiarizationUnavailableError,
    ModelUnavailableError,
    SettingsError,
)
from proctoring.judgement import shipped_policy
from proctoring.models.store import ModelStore
from proctoring.recording import analysis
from proctoring.recording.models import RecordingModels
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels

Pcm = NDArray[np.int16]
DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())


@pytest.fixture(scope="module")
def absence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of an empty chair, without audio."""
    folder = tmp_path_factory.mktemp("absence")
    return write_clip(folder / "absent.mp4", [(n / 2, nobody()) for n in range(13)])


def test_the_report_is_typed(absence: Path, recording_models: RecordingModels) -> None:
    report = proctoring.analyse(absence, models=recording_models)
    assert isinstance(report, proctoring.Report)
    assert report.complete
    assert report.file == "absent.mp4"
    assert report.policy.name == "exam"
    (incident,) = report.incidents
    assert (incident.kind, incident.label) == ("face.absent", "No Face Detected")
    assert incident.alerted
    assert report.enrolment.state == "calibrating"
    assert [need.code for need in report.enrolment.missing] == ["nobody"]
    assert (report.speed.frames, report.speed.analysed) == (13, 13)
    assert report.speed.duration == 6.0
    assert report.audio is None
    assert {"faces", "objects", "speech"} <= {found.name for found in report.capabilities}
    assert report.to_json()["incidents"][0]["kind"] == "face.absent"


def test_progress_goes_from_nothing_to_the_end(
    absence: Path, recording_models: RecordingModels
) -> None:
    steps: list[tuple[float, float | None]] = []
    proctoring.analyse(absence, models=recording_models, progress=lambda *step: steps.append(step))
    done = [time for time, _ in steps]
    total = steps[0][1]
    assert total is not None
    assert steps[0] == (0.0, total)
    assert steps[-1] == (total, total)
    assert done == sorted(done)
    assert len(steps) == 15


def test_an_exception_of_the_progress_callback_ends_the_analysis(
    absence: Path, recording_models: RecordingModels, tmp_path: Path
) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: float, _total: float | None) -> None:
        if done >= 2.0:
            raise StoppedError

    with pytest.raises(StoppedError):
        proctoring.analyse(
            absence, models=recording_models, progress=stop, annotated=tmp_path / "annotated.mp4"
        )
    assert not list(tmp_path.iterdir())


def test_loaded_models_are_used_for_any_number_of_recordings(
    absence: Path, recording_models: RecordingModels, tmp_path: Path
) -> None:
    nowhere = Settings(models_folder=tmp_path / "models", models_mirror=tmp_path)
    for _ in range(2):
        report = proctoring.analyse(str(absence), models=recording_models, settings=nowhere)
        assert [incident.kind for incident in report.incidents] == ["face.absent"]
    assert not list(tmp_path.iterdir())


def test_models_are_shared_by_threads(absence: Path, recording_models: RecordingModels) -> None:
    with ThreadPoolExecutor(2) as pool:
        analyses = [
            pool.submit(proctoring.analyse, absence, models=recording_models) for _ in range(2)
        ]
        first, second = (analysis.result() for analysis in analyses)
    assert first.incidents == second.incidents
    assert [incident.kind for incident in first.incidents] == ["face.absent"]


@pytest.mark.slow
def test_models_that_are_not_given_are_loaded_by_the_settings(
    absence: Path, model_store: ModelStore, tmp_path: Path
) -> None:
    none = Settings(models_folder=tmp_path / "file" / "models")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SettingsError, match="cannot be written"):
        proctoring.analyse(absence, settings=none)
    settings = Settings(models_folder=model_store.folder, models_mirror=model_store.mirror)
    loaded = proctoring.load_models(settings)
    assert loaded.vision is not None
    report = proctoring.analyse(absence, models=loaded)
    assert [incident.kind for incident in report.incidents] == ["face.absent"]


@pytest.mark.slow
def test_a_policy_is_a_name_a_file_or_an_object(
    absence: Path, recording_models: RecordingModels, tmp_path: Path
) -> None:
    file = tmp_path / "alone.toml"
    file.write_text('name = "alone"\n[incidents."face.absent"]\nenabled = false\n')
    own = shipped_policy("exam").with_accommodations({"face.absent": {"persist": 60}})
    reports = [
        proctoring.analyse(absence, policy=policy, models=recording_models)
        for policy in ("exam", file, str(file), own)
    ]
    assert [report.policy.name for report in reports] == ["exam", "alone", "alone", "exam"]
    assert [len(report.incidents) for report in reports] == [1, 0, 0, 0]


def test_the_annotated_copy_has_every_analysed_frame(
    absence: Path, recording_models: RecordingModels, tmp_path: Path
) -> None:
    annotated = tmp_path / "annotated.mp4"
    report = proctoring.analyse(absence, models=recording_models, annotated=annotated)
    with av.open(str(annotated)) as container:
        assert sum(1 for _ in container.decode(video=0)) == report.speed.analysed


def test_a_reference_photo_may_be_bytes_and_frames_mirrored(
    recording_models: RecordingModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: list[dict[str, Any]] = []

    def analyser(networks: VisionModels, **given: Any) -> VisionAnalyser:
        options.append(given)
        return VisionAnalyser(networks, **given)

    monkeypatch.setattr(analysis, "VisionAnalyser", analyser)
    photo = simplejpeg.encode_jpeg(np.ascontiguousarray(face()), quality=95)
    clip = write_clip(tmp_path / "face.mp4", [(n / 5, face()) for n in range(10)])
    for mirrored in (False, True):
        report = proctoring.analyse(
            clip, models=recording_models, mirrored=mirrored, reference_photo=photo
        )
        assert not [one for one in report.incidents if one.kind == "face.mismatch"]
    assert [one["mirrored"] for one in options] == [False, True]
    assert all(one["reference"] is not None for one in options)


def test_audio_alone_gives_a_summary_and_words_only_where_the_policy_publishes_them(
    one_voice: Pcm, recording_models: RecordingModels, tmp_path: Path
) -> None:
    talk = write_sound(tmp_path / "talk.flac", one_voice[: 12 * 16_000], "flac")
    policy = shipped_policy("exam").model_dump(exclude_unset=True)
    policy |= {"transcription": {"engine": "moonshine"}, "audio": {"phrases": ["worst of times"]}}
    for publish in (False, True):
        policy["transcription"]["publish"] = publish
        report = proctoring.analyse(
            talk, policy=proctoring.Policy.model_validate(policy), models=recording_models
        )
        assert report.audio is not None
        assert report.audio.voices == {1}
        assert report.audio.seconds == pytest.approx(12.0, abs=0.1)
        assert [incident.kind for incident in report.incidents] == ["audio.phrase"]
        words = " ".join(utterance.text for utterance in report.transcript)
        assert ("best of times" in words) is publish
    assert report.speed.frames == 0
    assert "transcription.moonshine" in {found.name for found in report.capabilities}


def test_what_cannot_be_analysed_is_an_error_of_its_kind(
    absence: Path, one_voice: Pcm, recording_models: RecordingModels, tmp_path: Path
) -> None:
    talk = write_sound(tmp_path / "talk.wav", one_voice[:16_000])
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    jpeg = simplejpeg.encode_jpeg(np.ascontiguousarray(nobody()))
    blind = RecordingModels(None, recording_models.audio, recording_models.transcribers)
    deaf = RecordingModels(None, DEAF, recording_models.transcribers)
    cases: list[tuple[type[Exception], str, Path, dict[str, Any]]] = [
        (BadRecordingError, "No such file", tmp_path / "none.mp4", {}),
        (BadRecordingError, "notes.mp4 cannot be read", text, {}),
        (BadRecordingError, "Is a directory", tmp_path, {}),
        (BadPolicyError, "did you mean 'exam'", absence, {"policy": "exm"}),
        (BadPhotoError, "no face", absence, {"reference_photo": jpeg}),
        (BadVoiceError, "not an audio file", talk, {"reference_voice": b"text"}),
        (SettingsError, "No such file", talk, {"reference_voice": tmp_path / "none.wav"}),
        (SettingsError, "no video to compare the reference", talk, {"reference_photo": jpeg}),
        (SettingsError, "no video to draw on", talk, {"annotated": tmp_path / "a.mp4"}),
        (SettingsError, "no audio to compare", absence, {"reference_voice": talk}),
        (SettingsError, "overwrite the recording", absence, {"annotated": absence}),
        (SettingsError, "speakers is 'both'", absence, {"speakers": "both"}),
        (SettingsError, "loaded without vision", absence, {"models": blind}),
        (ModelUnavailableError, "no capability", talk, {"models": deaf}),
        (DiarizationUnavailableError, "HF_TOKEN", talk, {"speakers": "pyannote"}),
    ]
    for error, message, path, options in cases:
        with pytest.raises(error, match=message):
            proctoring.analyse(path, **{"models": recording_models, **options})


def test_damage_is_a_problem_of_the_report(
    recording_models: RecordingModels, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "half.mkv", [(n / 5, face(float(n))) for n in range(40)])
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    report = proctoring.analyse(clip, models=recording_models)
    assert not report.complete
    assert report.problem.startswith("half.mkv ")
    assert 0 < report.speed.duration < 7
