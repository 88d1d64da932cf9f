"""``proctoring analyse`` as an operator uses it, from the command line to the files it writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from tests.recording.clips import face, nobody, two_faces, write_clip, write_sound
from tests.vision.moving import reshaped
from typer.testing import CliRunner

from proctoring.audio.networks import AudioModels
from proctoring.cli import app
from proctoring.recording import analysis
from proctoring.recording.models import RecordingModels
from proctoring.vision.frame import Pixels
from proctoring.vision.networks import VisionModels

Pcm = NDArray[np.int16]


@pytest.fixture(autouse=True)
def shared_models(recording_models: RecordingModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is given the networks that are loaded already."""
    monkeypatch.setattr(analysis, "load_models", lambda *_, **__: recording_models)


def photo_of(path: Path, picture: Pixels) -> Path:
    """A reference photo's file."""
    path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=95))
    return path


def test_whoever_sits_there_is_compared_with_a_photo(
    tmp_path: Path, vision_models: VisionModels
) -> None:
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    moments = [(n / 5, face(5 * np.sin(n / 3))) for n in range(30)]
    clip = write_clip(tmp_path / "sitting.mp4", moments)
    own = photo_of(tmp_path / "own.jpg", face())
    # Both halves are another's: one alone would be a face that is covered in part.
    other = reshaped(reshaped(face(), (290.0, 110.0)), (290.0, 165.0))
    another = photo_of(tmp_path / "another.jpg", other)
    report = tmp_path / "report.json"
    found = []
    for photo in (own, another):
        command = ["analyse", str(clip), "--photo", str(photo), "--json", str(report)]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.stderr
        incidents = json.loads(report.read_text())["incidents"]
        found.append([one["reason"] for one in incidents if one["kind"] == "face.mismatch"])
    assert found[0] == []
    (reason,) = found[1]
    assert "the reference photo" in reason


def test_a_photo_of_no_use_is_refused_by_name(tmp_path: Path, one_voice: Pcm) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [(n / 5, face()) for n in range(5)])
    sound = write_sound(tmp_path / "talk.flac", one_voice[:16_000], "flac")
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    cases = [
        (clip, tmp_path / "missing.jpg", f"{tmp_path / 'missing.jpg'}: No such file or directory"),
        (clip, text, "reference photo: neither JPEG nor PNG"),
        (clip, photo_of(tmp_path / "nobody.jpg", nobody()), "reference photo: no face in it"),
        (clip, photo_of(tmp_path / "two.jpg", two_faces()), "reference photo: 2 faces in it"),
        (sound, photo_of(tmp_path / "own.jpg", face()), "talk.flac has no video to compare"),
    ]
    for recording, photo, complaint in cases:
        result = CliRunner().invoke(app, ["analyse", str(recording), "--photo", str(photo)])
        assert result.exit_code == 2
        assert complaint in result.stderr


def test_a_stranger_who_speaks_first_is_told_by_the_given_voice(
    tmp_path: Path, audio_models: AudioModels, one_voice: Pcm, two_voices: Pcm
) -> None:
    stranger = two_voices[round(8.6 * 16_000) : round(11.5 * 16_000)]
    talk = write_sound(tmp_path / "talk.flac", np.concatenate([stranger, stranger]), "flac")
    voice = write_sound(tmp_path / "voice.flac", one_voice[: 8 * 16_000], "flac")
    report = tmp_path / "report.json"
    found = []
    for given in ([], ["--voice", str(voice)]):
        result = CliRunner().invoke(app, ["analyse", str(talk), "--json", str(report), *given])
        assert result.exit_code == 0, result.stderr
        incidents = json.loads(report.read_text())["incidents"]
        found.append([one["kind"] for one in incidents])
    assert "audio.multiple_speakers" not in found[0]
    assert "audio.multiple_speakers" in found[1]


def test_a_voice_of_no_use_is_refused_by_name(
    tmp_path: Path, audio_models: AudioModels, one_voice: Pcm
) -> None:
    talk = write_sound(tmp_path / "talk.flac", one_voice[:16_000], "flac")
    short = write_sound(tmp_path / "short.flac", one_voice[: 2 * 16_000], "flac")
    silent = write_clip(tmp_path / "silent.mp4", [(n / 5, face()) for n in range(5)])
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    pyannote = ["--speakers", "pyannote"]
    cases: list[tuple[Path, Path, list[str], str]] = [
        (talk, tmp_path / "missing.wav", [], f"{tmp_path / 'missing.wav'}: No such file"),
        (talk, text, [], "not an audio file: WAV, FLAC, Ogg or WebM is needed"),
        (talk, short, [], "3 s are needed"),
        (silent, short, [], "silent.mp4 has no audio to compare"),
        (talk, short, pyannote, "a reference voice needs the local diarizer, not pyannote"),
    ]
    for recording, voice, more, complaint in cases:
        command = ["analyse", str(recording), "--voice", str(voice), *more]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 2, complaint
        assert complaint in result.stderr


def test_another_policy_judges_otherwise(tmp_path: Path) -> None:
    policy = tmp_path / "alone.toml"
    policy.write_text('name = "alone"\n[incidents."face.absent"]\nenabled = false\n')
    clip = write_clip(tmp_path / "absent.mp4", [(n / 2, nobody()) for n in range(12)])
    result = CliRunner().invoke(app, ["analyse", str(clip), "--policy", str(policy)])
    assert "no incidents" in result.stdout


def test_a_sound_file_alone_is_heard_and_its_words_told_where_the_policy_asks(
    tmp_path: Path, one_voice: Pcm
) -> None:
    policy = tmp_path / "words.toml"
    policy.write_text(
        'name = "words"\n[audio]\nphrases = ["worst of times"]\n'
        '[transcription]\nengine = "moonshine"\npublish = true\n'
    )
    sound = write_sound(tmp_path / "talk.flac", one_voice[: 12 * 16_000], "flac")
    report_file = tmp_path / "report.json"
    result = CliRunner().invoke(
        app, ["analyse", str(sound), "--policy", str(policy), "--json", str(report_file)]
    )
    assert result.exit_code == 0, result.stderr
    assert "Suspicious Phrase" in result.stdout
    assert "best of times" in result.stdout
    assert "12.0 s of audio" in result.stdout
    report = json.loads(report_file.read_text())
    assert report["pictures"] == 0
    assert report["duration"] == pytest.approx(12.0, abs=0.1)
    assert report["sound"]["voices"] == 1
    assert report["sound"]["speech_seconds"] > 6
    assert "best of times" in report["sound"]["transcript"][0]["text"].casefold()
    (incident,) = report["incidents"]
    assert incident["kind"] == "audio.phrase"
    assert "best" not in incident["reason"]


def test_words_stay_out_of_a_report_whose_policy_does_not_ask(
    tmp_path: Path, one_voice: Pcm
) -> None:
    policy = tmp_path / "phrases.toml"
    policy.write_text(
        'name = "phrases"\n[audio]\nphrases = ["worst of times"]\n'
        '[transcription]\nengine = "moonshine"\n'
    )
    sound = write_sound(tmp_path / "talk.wav", one_voice[: 12 * 16_000])
    report_file = tmp_path / "report.json"
    result = CliRunner().invoke(
        app, ["analyse", str(sound), "--policy", str(policy), "--json", str(report_file)]
    )
    assert "Suspicious Phrase" in result.stdout
    assert "best of times" not in (result.stdout + report_file.read_text()).casefold()


def test_recordings_are_never_sent_away(tmp_path: Path, one_voice: Pcm) -> None:
    policy = tmp_path / "away.toml"
    policy.write_text('name = "away"\n[transcription]\nengine = "deepgram"\n')
    sound = write_sound(tmp_path / "talk.wav", one_voice[:16_000])
    result = CliRunner().invoke(app, ["analyse", str(sound), "--policy", str(policy)])
    assert "off: transcription.deepgram (recordings are never sent away" in " ".join(
        result.stdout.split()
    )


def test_sound_has_no_pictures_to_draw_on(tmp_path: Path, one_voice: Pcm) -> None:
    sound = write_sound(tmp_path / "talk.wav", one_voice[:16_000])
    drawn = str(tmp_path / "drawn.mp4")
    assert "no video to draw on" in one_error([str(sound), "--annotated", drawn])


def test_pyannote_that_cannot_be_had_is_one_clear_line(tmp_path: Path, one_voice: Pcm) -> None:
    sound = write_sound(tmp_path / "talk.wav", one_voice[:16_000])
    assert "pyannote needs HF_TOKEN" in one_error([str(sound), "--speakers", "pyannote"])


def one_error(arguments: list[str]) -> str:
    """The one error that the command answers with; before it only what is being loaded."""
    result = CliRunner().invoke(app, ["analyse", *arguments])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    *before, line = result.stderr.strip().splitlines()
    assert all(one.startswith("loading") for one in before)
    return line


def test_what_cannot_be_analysed_is_one_clear_line(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    clip = write_clip(tmp_path / "clip.mp4", [(n / 10, face()) for n in range(2)])
    none = tmp_path / "none.mp4"
    assert one_error([str(none)]) == (
        "error: none.mp4 cannot be read as video: No such file or directory"
    )
    assert "notes.mp4 cannot be read as video" in one_error([str(text)])
    assert "Is a directory" in one_error([str(tmp_path)])
    assert "did you mean 'exam'" in one_error([str(clip), "--policy", "exm"])
    assert "would overwrite the recording" in one_error([str(clip), "--annotated", str(clip)])
    lost = str(tmp_path / "none" / "out.json")
    assert one_error([str(clip), "--json", lost]) == f"error: {lost}: cannot be written"


def test_a_truncated_recording_is_analysed_as_far_as_it_goes_and_fails(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "half.mkv", [(n / 5, face(float(n))) for n in range(40)])
    data = clip.read_bytes()
    clip.write_bytes(data[: len(data) // 2])
    report_file = tmp_path / "report.json"
    result = CliRunner().invoke(app, ["analyse", str(clip), "--json", str(report_file)])
    assert result.exit_code == 2
    assert "error: half.mkv " in result.stderr
    assert "no incidents" in result.stdout
    report = json.loads(report_file.read_text())
    assert report["complete"] is False
    assert report["problem"].startswith("half.mkv ")
    assert 0 < report["duration"] < 7
