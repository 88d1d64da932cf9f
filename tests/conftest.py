"""Fixtures that every floor's tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from evaluation.speech import fetch_carried_speech, read_pcm
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.errors import ModelUnavailableError
from proctoring.models.runtime import available_cores
from proctoring.models.store import ModelStore
from proctoring.recording.models import RecordingModels
from proctoring.settings import Settings
from proctoring.vision.networks import VisionModels, load_vision_models

# Nothing of a test's may land in the user's own records; processes that tests start inherit it.
_DATA = TemporaryDirectory(prefix="proctoring-tests-")
os.environ["PROCTORING_DATA_FOLDER"] = _DATA.name
os.environ.pop("PROCTORING_DATABASE", None)

# A machine that is busy with other tests refuses none of a test's sessions; tests of that say so.
os.environ["PROCTORING_ADMISSION"] = "count"

SHARED = Path(os.environ.get("PROCTORING_SHARED", Path(__file__).parents[2] / "shared"))

# Tests start many commands, and three of the five CPU seconds of `import proctoring.server.serve`
# are compilation unless bytecode may be kept.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# No test shall use, or try, the key of whoever runs it.
os.environ |= {"DEEPGRAM_API_KEY": "", "HF_TOKEN": ""}

# Processes that run tests in parallel must collect them in one order, also where that of a set counts.
os.environ.setdefault("PYTHONHASHSEED", "0")

# Generated examples are the same each time, and may take as long as a busy machine needs.
settings.register_profile(
    "tests",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tests")

MOST_PROCESSES = 8
"""Processes that run tests at once, at most: each loads networks of its own, about 1.5 GB."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes that ``pytest`` starts unless ``-n`` says how many: one per core at hand.

    None (0) where the command line names files: those few tests start sooner in this process.
    """
    named = config.args_source is pytest.Config.ArgsSource.ARGS
    if named and all((Path(argument.split("::")[0])).is_file() for argument in config.args):
        return 0
    return min(available_cores(), MOST_PROCESSES)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The labelled recordings beside the checkout; skips where they are absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"labelled recordings are absent ({SHARED / 'data'})")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The mirror of weights beside the checkout; skips where it is absent."""
    if not (SHARED / "models").is_dir():
        pytest.skip(f"the mirror of weights is absent ({SHARED / 'models'})")
    return SHARED / "models"


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    """The machine's own models folder; with the mirror beside the checkout where there is one."""
    settings = Settings()
    mirror = SHARED / "models"
    return ModelStore(
        settings.models_folder,
        settings.models_mirror or (mirror if mirror.is_dir() else None),
    )


@pytest.fixture(scope="session")
def vision_models(model_store: ModelStore) -> VisionModels:
    """The real networks, loaded once for all tests."""
    return load_vision_models(model_store, object_model=Settings().object_model)


@pytest.fixture(scope="session")
def audio_models(model_store: ModelStore) -> AudioModels:
    """The real networks, loaded once; skips where they cannot be had."""
    models = load_audio_models(model_store)
    missing = [f"{c.name}: {c.reason}" for c in models.capabilities if not c.available]
    if missing:
        pytest.skip("; ".join(missing))
    return models


@pytest.fixture(scope="session")
def recording_models(
    vision_models: VisionModels, audio_models: AudioModels, model_store: ModelStore
) -> RecordingModels:
    """The same networks for ``proctoring.analyse``."""
    transcribers = Transcribers(model_store, audio_models.voice_activity)
    return RecordingModels(vision_models, audio_models, transcribers)


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
