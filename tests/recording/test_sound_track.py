"""A recording's sound: in step with its pictures, gaps and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.recording.clips import face, write_clip_with_sound, write_sound

from proctoring.audio.analyser import AudioModels
from proctoring.errors import ProctoringError
from proctoring.observations import SoundObservation
from proctoring.recording.sound_track import SoundTrack, listen
from proctoring.vision.recording import first_shown

DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())
NOISE = np.random.default_rng(1).integers(-8000, 8000, 16_000 * 3).astype(np.int16)


def heard(track: SoundTrack, time: float = 1000.0) -> list[SoundObservation]:
    return [one for one in track.up_to(time) if isinstance(one, SoundObservation)]


def test_times_count_from_the_first_picture(tmp_path: Path) -> None:
    clip = write_clip_with_sound(tmp_path / "a.mkv", [(2.0, face()), (3.0, face())], 2.25, NOISE)
    track = SoundTrack(listen(clip, DEAF, origin=first_shown(clip)))
    assert [o.time for o in heard(track)] == pytest.approx([0.75, 1.25, 1.75, 2.25, 2.75, 3.25])


def test_sound_before_the_first_picture_is_left_out(tmp_path: Path) -> None:
    clip = write_clip_with_sound(tmp_path / "a.mkv", [(2.0, face()), (3.0, face())], 1.0, NOISE)
    track = SoundTrack(listen(clip, DEAF, origin=first_shown(clip)))
    assert [o.time for o in heard(track)] == pytest.approx([0.5, 1.0, 1.5, 2.0])


def test_it_is_given_as_far_as_the_pictures_are_and_each_once(tmp_path: Path) -> None:
    track = SoundTrack(listen(write_sound(tmp_path / "a.wav", NOISE), DEAF, origin=None))
    assert [o.time for o in heard(track, 1.2)] == [0.5, 1.0]
    assert heard(track, 1.4) == []
    assert [o.time for o in heard(track)] == [1.5, 2.0, 2.5, 3.0]
    assert track.summary.seconds == pytest.approx(3.0)


def test_a_part_that_cannot_be_read_is_told_after_what_could() -> None:
    def broken() -> object:
        yield SoundObservation(0.5, 0.5, None, -20.0, None)
        raise ProctoringError("the sound is damaged after 0.5 s")

    track = SoundTrack(broken())  # type: ignore[arg-type]
    assert len(heard(track)) == 1
    assert track.problem == "the sound is damaged after 0.5 s"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.wav", "pcm_s16le"), ("a.flac", "flac"), ("a.mp3", "libmp3lame")]
)
def test_every_kind_of_sound_file(
    tmp_path: Path,
    name: str,
    codec: str,
    audio_models: AudioModels,
    two_voices: NDArray[np.int16],
) -> None:
    file = write_sound(tmp_path / name, two_voices[: 20 * 16_000], codec)
    track = SoundTrack(listen(file, audio_models, origin=None))
    assert len(heard(track)) >= 40
    assert track.summary.voices == {1, 2}
    assert track.summary.speech_seconds > 8
