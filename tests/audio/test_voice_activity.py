"""Voice activity: speech against silence and noise, in pieces of any length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import to_waveform
from proctoring.audio.voice_activity import FRAME, initial_memory, speech_probabilities


def test_speech_is_speech_and_noise_is_not(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    assert audio_models.voice_activity is not None
    noise = np.random.default_rng(1).normal(scale=0.02, size=FRAME * 150).astype(np.float32)
    said, _ = speech_probabilities(
        audio_models.voice_activity, to_waveform(one_voice[24000:40000]), initial_memory()
    )
    hiss, _ = speech_probabilities(audio_models.voice_activity, noise, initial_memory())
    nothing, _ = speech_probabilities(
        audio_models.voice_activity, np.zeros(FRAME * 100, np.float32), initial_memory()
    )
    assert (said > 0.5).mean() > 0.8
    assert (hiss > 0.5).mean() < 0.02
    assert not (nothing > 0.3).any()


def test_many_frames_at_once_are_the_same_as_one_by_one(
    audio_models: AudioModels, one_voice: NDArray[np.int16]
) -> None:
    assert audio_models.voice_activity is not None
    waveform = to_waveform(one_voice[16000 : 16000 + FRAME * 20])
    together, _ = speech_probabilities(audio_models.voice_activity, waveform, initial_memory())
    memory, single = initial_memory(), []
    for start in range(0, len(waveform), FRAME):
        probability, memory = speech_probabilities(
            audio_models.voice_activity, waveform[start : start + FRAME], memory
        )
        single.append(probability[0])
    assert np.allclose(together, single, atol=1e-5)
