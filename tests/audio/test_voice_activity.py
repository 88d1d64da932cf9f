"""Voice activity: speech against silence and noise, in pieces of any length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from proctoring.audio.networks import VOICE_ACTIVITY, AudioModels
from proctoring.audio.pcm import to_waveform
from proctoring.audio.voice_activity import FRAME, initial_memory, speech_probabilities
from proctoring.audio.voice_activity_graph import with_products
from proctoring.models.onnx_runtime import load_onnx_network
from proctoring.models.store import ModelStore


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


def test_as_matrix_products_the_probabilities_are_those_of_the_published_network(
    audio_models: AudioModels, model_store: ModelStore, two_voices: NDArray[np.int16]
) -> None:
    assert audio_models.voice_activity is not None
    published = load_onnx_network(model_store.fetch(VOICE_ACTIVITY))
    frames = 16
    one = other = initial_memory()
    heard = 0
    for start in range(0, len(two_voices) - FRAME * frames, FRAME * frames):
        waveform = to_waveform(two_voices[start : start + FRAME * frames])
        expected, one = speech_probabilities(published, waveform, one)
        found, other = speech_probabilities(audio_models.voice_activity, waveform, other)
        assert np.allclose(found, expected, atol=1e-4)
        heard += int((found > 0.5).sum())
    assert heard > frames


@pytest.mark.parametrize(("operator", "error"), [("LSTM", "structure"), ("Sqrt", "other results")])
def test_another_network_is_not_made_into_matrix_products(
    operator: str, error: str, model_store: ModelStore, tmp_path: Path
) -> None:
    model = onnx.load(model_store.fetch(VOICE_ACTIVITY))
    changed = next(node for node in model.graph.node if node.op_type == operator)
    if operator == "LSTM":
        model.graph.node.remove(changed)
    else:
        changed.op_type = "Identity"
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    with pytest.raises(ValueError, match=error):
        with_products(path)
