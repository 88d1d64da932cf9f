"""The models of a process: loaded once, shared by all its sessions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from proctoring.audio.networks import (
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
class Models:
    """Loaded networks of vision and audio."""

    vision: VisionModels
    audio: AudioModels

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Capabilities with the reason why one is off."""
        return (*self.vision.capabilities, *self.audio.capabilities)


def load_all_models(store: ModelStore, *, object_model: str) -> Models:
    """Load all models. A capability whose weights cannot be fetched is off and gives the reason."""
    with ThreadPoolExecutor(1, thread_name_prefix="loading") as beside:
        audio = beside.submit(load_audio_models, store)
        return Models(load_vision_models(store, object_model=object_model), audio.result())


def needed_models(object_model: str, transcriber: str = "off") -> tuple[str, ...]:
    """Catalogue names of the models that ``load_all_models`` and this transcriber load."""
    audio = (VOICE_ACTIVITY, SEGMENTATION, EMBEDDING)
    transcription = (MOONSHINE_MODEL,) if transcriber == MOONSHINE else ()
    return (*vision.needed_models(object_model), *audio, *transcription)
