"""The audio of a recording: its media times, its gaps, its damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.recording.clips import face, write_clip_with_sound, write_sound

from proctoring.audio.networks import AudioModels
from proctoring.errors import ProctoringError
from proctoring.observations import AudioObservation
from proctoring.recording.audio_track import AudioTrack, analyse_audio
from proctoring.vision.video_file import first_presentation_time

DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())
NOISE = np.random.default_rng(1).integers(-8000, 8000, 16_000 * 3).astype(np.int16)


def observations(track: AudioTrack, time: float = 1000.0) -> list[AudioObservation]:
    return [one for one in track.until(time) if isinstance(one, AudioObservation)]


def test_times_count_from_the_first_frame(tmp_path: Path) -> None:
    clip = write_clip_with_sound(tmp_path / "a.mkv", [(2.0, face()), (3.0, face())], 2.25, NOISE)
    track = AudioTrack(analyse_audio(clip, DEAF, origin=first_presentation_time(clip)))
    assert [o.time for o in observations(track)] == pytest.approx(
        [0.75, 1.25, 1.75, 2.25, 2.75, 3.25]
    )


def test_audio_before_the_first_frame_is_left_out(tmp_path: Path) -> None:
    clip = write_clip_with_sound(tmp_path / "a.mkv", [(2.0, face()), (3.0, face())], 1.0, NOISE)
    track = AudioTrack(analyse_audio(clip, DEAF, origin=first_presentation_time(clip)))
    assert [o.time for o in observations(track)] == pytest.approx([0.5, 1.0, 1.5, 2.0])


def test_observations_are_handed_out_up_to_a_time_and_once(tmp_path: Path) -> None:
    track = AudioTrack(analyse_audio(write_sound(tmp_path / "a.wav", NOISE), DEAF, origin=None))
    assert [o.time for o in observations(track, 1.2)] == [0.5, 1.0]
    assert observations(track, 1.4) == []
    assert [o.time for o in observations(track)] == [1.5, 2.0, 2.5, 3.0]
    assert track.summary.seconds == pytest.approx(3.0)


def test_damage_is_reported_after_what_could_be_read() -> None:
    def broken() -> object:
        yield AudioObservation(0.5, 0.5, None, -20.0, None)
        raise ProctoringError("the audio is damaged after 0.5 s")

    track = AudioTrack(broken())  # type: ignore[arg-type]
    assert len(observations(track)) == 1
    assert track.problem == "the audio is damaged after 0.5 s"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame")]
)
def test_formats_of_audio_files(
    tmp_path: Path,
    name: str,
    codec: str,
    audio_models: AudioModels,
    two_voices: NDArray[np.int16],
) -> None:
    file = write_sound(tmp_path / name, two_voices[: 20 * 16_000], codec)
    track = AudioTrack(analyse_audio(file, audio_models, origin=None))
    assert len(observations(track)) >= 40
    assert track.summary.voices == {1, 2}
    assert track.summary.speech_seconds > 8
