"""What one process sees and hears with: loaded once, shared by all its sessions."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.analyser import (
    EMBEDDING,
    SEGMENTATION,
    VOICE_ACTIVITY,
    AudioModels,
    load_audio_models,
)
from proctoring.audio.transcription.moonshine.network import NAME as MOONSHINE_MODEL
from proctoring.audio.transcription.transcribers import MOONSHINE
from proctoring.capabilities import Capability
from proctoring.models.store import ModelStore
from proctoring.vision import networks as vision
from proctoring.vision.networks import VisionModels, load_vision_models


@dataclass(frozen=True, slots=True)
class Senses:
    """The networks of vision and of hearing."""

    vision: VisionModels
    audio: AudioModels

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What works and what is off, and why."""
        return (*self.vision.capabilities, *self.audio.capabilities)


def load_senses(store: ModelStore, *, object_model: str) -> Senses:
    """Load everything; what cannot be had is off, named with the reason."""
    return Senses(load_vision_models(store, object_model=object_model), load_audio_models(store))


def needed_models(object_model: str, transcriber: str = "off") -> tuple[str, ...]:
    """Catalogue names of everything that ``load_senses`` and this transcriber ask for."""
    words = (MOONSHINE_MODEL,) if transcriber == MOONSHINE else ()
    return (*vision.needed_models(object_model), VOICE_ACTIVITY, SEGMENTATION, EMBEDDING, *words)
