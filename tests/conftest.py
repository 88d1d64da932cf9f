"""Fixtures that every floor's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from proctoring.models.store import ModelStore
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionModels, load_vision_models

SHARED = Path(os.environ.get("PROCTORING_SHARED", Path(__file__).parents[2] / "shared"))


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
