"""Which weights exist, from where, under which licence.

Digests were computed from the files of the named sources; sources that differ in bytes and were
checked to compute the same are listed as alternatives.
"""

from __future__ import annotations

from proctoring.models.catalogue_audio import AUDIO_MODELS
from proctoring.models.catalogue_vision import VISION_MODELS
from proctoring.models.model import Model

CATALOGUE: tuple[Model, ...] = (*VISION_MODELS, *AUDIO_MODELS)


def find_model(name: str) -> Model | None:
    """The catalogue's entry of that name."""
    return next((model for model in CATALOGUE if model.name == name), None)
