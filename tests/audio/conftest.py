"""Real speech and real networks for the tests of hearing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from evaluation.speech import fetch_carried_speech, read_pcm
from numpy.typing import NDArray

from proctoring.audio.analyser import AudioModels, load_audio_models
from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore


@pytest.fixture(scope="session")
def audio_models(model_store: ModelStore) -> AudioModels:
    """The real networks, loaded once; skips where they cannot be had."""
    models = load_audio_models(model_store)
    missing = [f"{c.name}: {c.reason}" for c in models.capabilities if not c.available]
    if missing:
        pytest.skip("; ".join(missing))
    return models


@pytest.fixture(scope="session")
def carried_speech(model_store: ModelStore) -> Path:
    """The folder of recordings that come with a model's carrier; skips where it cannot be had."""
    try:
        return fetch_carried_speech(model_store)
    except ModelUnavailableError as error:
        pytest.skip(error.detail)


@pytest.fixture(scope="session")
def one_voice(carried_speech: Path) -> NDArray[np.int16]:
    """44 seconds read by one man."""
    return read_pcm(carried_speech / "two_cities.wav")


@pytest.fixture(scope="session")
def two_voices(carried_speech: Path) -> NDArray[np.int16]:
    """28 seconds of a play: a man and a woman in turns."""
    return read_pcm(carried_speech / "endgame_nagg_nell.wav")
