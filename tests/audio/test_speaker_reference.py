"""Reference recordings: accepted ones, refused ones, and their effect on diarization."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.diarization.speaker import CANDIDATE, Speaker
from proctoring.audio.diarization.state import DiarizationState, with_reference
from proctoring.audio.embedding import normalised
from proctoring.audio.networks import AudioModels
from proctoring.audio.speaker_reference import analyse_reference, decode_reference
from proctoring.errors import BadVoiceError, ModelUnavailableError

RATE = 16_000


def wav(samples: NDArray[np.int16], rate: int = RATE, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(np.repeat(samples, channels).tobytes())
    return file.getvalue()


def test_a_wave_file_of_any_rate_and_channels_becomes_mono_at_16_khz() -> None:
    tone = (8000 * np.sin(np.arange(48_000) / 20)).astype(np.int16)
    audio = decode_reference(wav(tone, 48_000, 2))
    assert len(audio) == pytest.approx(RATE, abs=200)
    assert np.abs(audio).max() > 6000


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not an audio file"),
        (b"\xff\xd8\xff\xe0 a picture", "not an audio file"),
        (b"RIFF\x00\x00\x00\x00nothing", "damaged"),
        (b"OggS" + bytes(100), "damaged"),
        (wav(np.zeros(61 * RATE, np.int16)), "longer than 60 s"),
        (bytes((6 << 20) + 1), "bytes"),
        (wav(np.zeros(RATE, np.int16), rate=3_000_000), "3000000 Hz"),
        (wav(np.zeros(RATE, np.int16), rate=100), "100 Hz"),
        (wav(np.zeros(RATE, np.int16), channels=16), "16 channels"),
    ],
)
def test_what_is_no_audio_file_or_too_much_is_refused_with_the_reason(
    data: bytes, why: str
) -> None:
    with pytest.raises(BadVoiceError, match=why):
        decode_reference(data)


def test_pictures_in_a_sound_file_are_not_decoded() -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        sound = container.add_stream("libopus", rate=48_000, layout="mono")
        pictures = container.add_stream("mjpeg", rate=1)
        pictures.width = pictures.height = 64
        pictures.pix_fmt = "yuvj420p"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48_000), np.int16), "s16", "mono")
        frame.sample_rate = 48_000
        container.mux(pictures.encode(av.VideoFrame(64, 64, "yuvj420p")))
        container.mux(sound.encode(frame) + sound.encode(None) + pictures.encode(None))
    assert len(decode_reference(file.getvalue())) == pytest.approx(RATE, abs=400)
    with av.open(io.BytesIO(file.getvalue()), options={"codec_whitelist": "opus"}) as container:
        assert container.streams.video[0].codec_context.pix_fmt is None  # what the option is for


def test_silence_and_a_few_words_are_no_reference(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    with pytest.raises(BadVoiceError, match="nobody speaks"):
        analyse_reference(audio_models, np.zeros(5 * RATE, np.int16))
    with pytest.raises(BadVoiceError, match=r"only .* s of clear speech"):
        analyse_reference(audio_models, one_voice[RATE : 3 * RATE])


def test_two_speakers_are_no_reference(
    audio_models: AudioModels, two_voices: NDArray[np.int16]
) -> None:
    with pytest.raises(BadVoiceError, match="more than one voice"):
        analyse_reference(audio_models, two_voices)


def test_without_networks_the_reason_is_reported(audio_models: AudioModels) -> None:
    deaf = AudioModels(None, None, ())
    with pytest.raises(ModelUnavailableError, match="cannot be told apart"):
        analyse_reference(deaf, np.zeros(RATE, np.int16))


def test_with_a_reference_the_first_speaker_may_be_another_person(
    audio_models: AudioModels, one_voice: NDArray[np.int16], two_voices: NDArray[np.int16]
) -> None:
    reference = analyse_reference(audio_models, one_voice[: 12 * RATE])
    known = AudioAnalyser(audio_models)
    known.set_reference(reference.embeddings, reference.seconds)
    others = [
        voice
        for observation in known.push(two_voices[: 8 * RATE])
        if observation.diarization
        for voice in observation.diarization.speakers
    ]
    assert others
    assert all(voice.number != CANDIDATE for voice in others)
    assert all((voice.similarity or 0) < 0.3 for voice in others)
    own = AudioAnalyser(audio_models)
    own.set_reference(reference.embeddings, reference.seconds)
    heard = {
        voice.number
        for observation in own.push(one_voice[20 * RATE : 30 * RATE])
        if observation.diarization
        for voice in observation.diarization.speakers
    }
    assert heard == {CANDIDATE}


def test_a_reference_is_part_of_the_saved_state(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    reference = analyse_reference(audio_models, one_voice[: 12 * RATE])
    first = AudioAnalyser(audio_models)
    first.set_reference(reference.embeddings, reference.seconds)
    second = AudioAnalyser(audio_models)
    second.restore(first.snapshot().state, first.snapshot().voices)
    (candidate,) = second.snapshot().voices.speakers
    assert candidate.number == CANDIDATE
    assert candidate.reference_seconds == pytest.approx(reference.seconds)


def test_a_reference_merges_with_its_speaker_and_renumbers_others() -> None:
    random = np.random.default_rng(3)
    mine, other = (normalised(random.normal(size=256).astype(np.float32)) for _ in range(2))
    stranger_first = DiarizationState(speakers=(Speaker(1, other, 5.0), Speaker(2, mine, 5.0)))
    state = with_reference(stranger_first, (mine,), 6.0, 0.45)
    assert [voice.number for voice in state.speakers] == [CANDIDATE, 3]
    assert state.speakers[0].reference_seconds == 6.0
    assert np.array_equal(state.speakers[1].centroid, other)
