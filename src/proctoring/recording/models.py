"""The networks with which recordings are analysed, loaded once for any number of them."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.audio.transcription.transcribers import MOONSHINE, Transcribers
from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.progress import Progress
from proctoring.models.store import ModelStore
from proctoring.session.loaded_models import needed_models
from proctoring.settings import Settings, read_settings
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.networks import needed_models as vision_models


@dataclass(frozen=True, slots=True)
class RecordingModels:
    """Loaded networks. May be shared by analyses in several threads."""

    vision: VisionModels | None
    """``None``: not loaded; only recordings without video can be analysed."""
    audio: AudioModels
    transcribers: Transcribers
    """Loads the transcription network when a policy first asks for it."""


def load_models(
    settings: Settings | None = None,
    *,
    vision: bool = True,
    transcription: bool = False,
    fetch_progress: Progress | None = None,
) -> RecordingModels:
    """Load the networks, fetching absent weights first.

    A network whose weights cannot be fetched turns its capability off; the report names it.

    Args:
        settings: the models folder, the mirror and the object detector; by default the
            environment's.
        vision: ``False`` leaves out what only video needs.
        transcription: fetch the transcription network too, not only when it is first used.
        fetch_progress: called while weights are downloaded.

    Raises:
        SettingsError: the settings are invalid, or the models folder cannot be written.
    """
    settings = settings or read_settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    names = needed_models(settings.object_model, MOONSHINE if transcription else "off")
    if not vision:
        unneeded = vision_models(settings.object_model)
        names = tuple(name for name in names if name not in unneeded)
    store.fetch_all(names, fetch_progress)  # what fails is reported by the capability that needs it
    loaded = load_vision_models(store, object_model=settings.object_model) if vision else None
    audio = load_audio_models(store)
    return RecordingModels(loaded, audio, Transcribers(store, audio.voice_activity))


def require_any_capability(capabilities: tuple[Capability, ...]) -> None:
    """Refuse to analyse with nothing: the report would claim that there were no incidents.

    Raises:
        ModelUnavailableError: every capability is off.
    """
    if not any(capability.available for capability in capabilities):
        reasons = dict.fromkeys(capability.reason for capability in capabilities)
        raise ModelUnavailableError(f"no capability is available: {'; '.join(reasons)}")
