"""Grouping of embeddings made by hand, and online diarization of real speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evaluation.speech import read_pcm
from numpy.typing import NDArray

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.diarization.speaker import other_speaker_confidence, two_groups
from proctoring.audio.diarization.state import DiarizationState
from proctoring.audio.embedding import normalised
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import to_waveform
from proctoring.audio.segmentation import WINDOW

RANDOM = np.random.default_rng(7)
NEAR, FAR = (normalised(RANDOM.normal(size=256).astype(np.float32)) for _ in range(2))


def like(voice: NDArray[np.float32], n: int, cosine: float = 0.8) -> list[NDArray[np.float32]]:
    """Embeddings of about that cosine to a voice."""
    found = []
    for _ in range(n):
        other = normalised(RANDOM.normal(size=256).astype(np.float32))
        found.append(normalised(voice * cosine + other * np.float32(np.sqrt(1 - cosine**2))))
    return found


def test_embeddings_of_two_speakers_form_two_groups_the_older_first() -> None:
    first, second = like(NEAR, 3), like(FAR, 2)
    groups = two_groups((first[0], second[0], first[1], second[1], first[2]), 0.3, 0.45)
    assert groups is not None
    assert [id(p) for p in groups[0]] == [id(p) for p in first]
    assert [id(p) for p in groups[1]] == [id(p) for p in second]


def test_embeddings_of_one_speaker_form_one_group() -> None:
    for cosine in (0.9, 0.7, 0.6):
        assert two_groups(tuple(like(NEAR, 6, cosine)), 0.3, 0.45) is None


def test_a_single_outlier_is_no_second_speaker() -> None:
    assert two_groups((*like(NEAR, 5), *like(FAR, 1)), 0.3, 0.45) is None


def test_confidence_of_another_speaker_rises_with_dissimilarity() -> None:
    sure = [other_speaker_confidence(s) for s in (0.6, 0.4, 0.2, 0.0)]
    assert sure == sorted(sure)
    assert sure[0] < 0.05
    assert sure[-1] > 0.99
    assert other_speaker_confidence(None) == pytest.approx(0.5)


def test_a_diarizer_is_stateless(audio_models: AudioModels, one_voice: NDArray[np.int16]) -> None:
    diarizer = audio_models.speakers
    assert diarizer is not None
    window = to_waveform(one_voice[16_000 : 16_000 + WINDOW])
    state, first = diarizer.diarize(DiarizationState(), window, 10.0)
    assert [v.number for v in first.speakers] == [1]
    assert state.speakers[0].seconds > 2.0
    _, again = diarizer.diarize(DiarizationState(), window, 10.0)
    assert again == first


def test_a_conversation_from_the_start_is_separated_without_enrolment(
    audio_models: AudioModels, shared_data: Path
) -> None:
    """Two women in turns, first assigned to one speaker, then split by longer embeddings."""
    audio = read_pcm(shared_data / "speech" / "meetings" / "sample.wav")[: 20 * 16_000]
    heard: dict[int, float] = {}
    for observation in AudioAnalyser(audio_models).push(audio):
        for voice in observation.diarization.speakers if observation.diarization else ():
            heard.setdefault(voice.number, observation.time)
    assert sorted(heard) == [1, 2]
    assert heard[2] <= 19.0
