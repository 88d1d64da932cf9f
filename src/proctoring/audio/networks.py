"""The audio networks: loaded once per process, shared by all sessions and threads."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.diarization.online import OnlineDiarizer
from proctoring.audio.diarization.settings import DiarizationSettings
from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore

VOICE_ACTIVITY = "silero_vad"
SEGMENTATION = "speaker_segmentation"
EMBEDDING = "speaker_embedding"


@dataclass(frozen=True, slots=True)
class AudioModels:
    """The loaded networks. ``None``: unavailable; ``capabilities`` say why."""

    voice_activity: OnnxNetwork | None
    speakers: OnlineDiarizer | None
    capabilities: tuple[Capability, ...]


def load_audio_models(
    store: ModelStore, settings: DiarizationSettings | None = None
) -> AudioModels:
    """Load the networks; an unavailable one turns its capability off, with the reason."""
    voice_activity, speakers, no_speech, no_speakers = None, None, "", ""
    try:
        voice_activity = load_onnx_network(store.fetch(VOICE_ACTIVITY))
    except ModelUnavailableError as error:
        no_speech = error.detail
        no_speakers = f"needs voice activity: {error.detail}"
    if voice_activity is not None:
        try:
            speakers = OnlineDiarizer(
                load_onnx_network(store.fetch(SEGMENTATION)),
                load_onnx_network(store.fetch(EMBEDDING), optimise=True),
                settings,
            )
        except ModelUnavailableError as error:
            no_speakers = error.detail
    return AudioModels(
        voice_activity,
        speakers,
        (
            Capability("speech", voice_activity is not None, no_speech, VOICE_ACTIVITY),
            Capability("speakers", speakers is not None, no_speakers, SEGMENTATION),
        ),
    )
