"""Local transcription of real speech by the real networks, as a stream."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation.transcription import TWO_CITIES
from evaluation.word_errors import word_errors
from numpy.typing import NDArray

from proctoring.audio.networks import AudioModels
from proctoring.audio.transcription.moonshine.network import Moonshine, load_moonshine
from proctoring.audio.transcription.moonshine.stream import MoonshineSettings, MoonshineStream
from proctoring.audio.transcription.moonshine.words import spread_words
from proctoring.errors import ModelUnavailableError
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.models.store import ModelStore
from proctoring.observations import TranscriptObservation

RATE = 16_000


@pytest.fixture(scope="module")
def moonshine(model_store: ModelStore) -> Moonshine:
    try:
        return load_moonshine(model_store)
    except ModelUnavailableError as error:
        pytest.skip(error.detail)


@pytest.fixture
def voice_activity(audio_models: AudioModels) -> OnnxNetwork:
    assert audio_models.voice_activity is not None
    return audio_models.voice_activity


def test_words_of_read_speech_come_utterance_by_utterance_with_times(
    moonshine: Moonshine, voice_activity: OnnxNetwork, one_voice: NDArray[np.int16]
) -> None:
    stream = MoonshineStream(moonshine, voice_activity, start=100.0)
    found: list[TranscriptObservation] = []
    audio = one_voice[: 14 * RATE]
    for start in range(0, len(audio), 3001):
        found += stream.push(audio[start : start + 3001])
    assert found
    assert found[0].time < 100 + 14  # not only at the end
    found += stream.close()
    text = " ".join(t.text for t in found)
    errors, words = word_errors(" ".join(TWO_CITIES.split()[:36]), text)
    assert errors <= 0.15 * words, text
    assert all(t.final and t.times_estimated for t in found)
    times = [word.start for t in found for word in t.words]
    assert times == sorted(times)
    assert 100.0 < times[0] < 102.0
    assert all(t.start <= w.start <= w.end <= t.time for t in found for w in t.words)


def test_the_pieces_that_audio_comes_in_do_not_matter(
    moonshine: Moonshine, voice_activity: OnnxNetwork, one_voice: NDArray[np.int16]
) -> None:
    audio = one_voice[RATE : 5 * RATE]
    whole = MoonshineStream(moonshine, voice_activity)
    pieces = MoonshineStream(moonshine, voice_activity)
    found: list[TranscriptObservation] = []
    for start in range(0, len(audio), 777):
        found += pieces.push(audio[start : start + 777])
    assert [*found, *pieces.close()] == [*whole.push(audio), *whole.close()]


def test_unfinished_words_are_given_when_asked_for(
    moonshine: Moonshine, voice_activity: OnnxNetwork, one_voice: NDArray[np.int16]
) -> None:
    settings = MoonshineSettings(interim_period=1.0, pause=2.0)
    stream = MoonshineStream(moonshine, voice_activity, settings=settings)
    found = stream.push(one_voice[RATE : 5 * RATE])
    assert found
    assert not any(t.final for t in found)
    (last,) = stream.close()
    assert last.final
    assert last.text.startswith(found[0].text.split()[0])


def test_silence_and_noise_say_nothing(moonshine: Moonshine, voice_activity: OnnxNetwork) -> None:
    stream = MoonshineStream(moonshine, voice_activity)
    noise = np.random.default_rng(2).normal(scale=300, size=4 * RATE).astype(np.int16)
    assert stream.push(np.zeros(4 * RATE, np.int16)) == ()
    assert stream.push(noise) == ()
    assert stream.close() == ()


def test_a_gap_ends_the_utterance_and_moves_the_time(
    moonshine: Moonshine, voice_activity: OnnxNetwork, one_voice: NDArray[np.int16]
) -> None:
    stream = MoonshineStream(moonshine, voice_activity)
    audio = one_voice[RATE : 4 * RATE]
    stream.push(audio)
    assert [t.final for t in stream.gap(60.0)] == [True]
    later = [*stream.push(audio), *stream.close()]
    assert later[0].start > 63.0


def test_words_are_spread_over_the_frames_that_are_speech() -> None:
    spoken = np.array([False] * 10 + [True] * 10 + [False] * 20 + [True] * 10)
    first, second = spread_words("abcd efgh", spoken, 5.0)
    assert (first.start, first.end) == pytest.approx((5 + 10 * 0.032, 5 + 20 * 0.032))
    assert (second.start, second.end) == pytest.approx((5 + 40 * 0.032, 5 + 50 * 0.032))
