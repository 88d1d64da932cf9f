"""The audio networks: loaded once per process, shared by all sessions and threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from proctoring.audio import segmentation_graph, voice_activity_graph
from proctoring.audio.diarization.online import OnlineDiarizer
from proctoring.audio.diarization.settings import DiarizationSettings
from proctoring.audio.segmentation import SegmentationNetwork
from proctoring.audio.segmentation_graph import after_filters, filters_alone
from proctoring.audio.voice_activity_graph import with_products
from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.eight_bit import convolutions_in_eight_bit, load_made
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore

VOICE_ACTIVITY = "silero_vad"
SEGMENTATION = "speaker_segmentation"
EMBEDDING = "speaker_embedding"
EMBEDDING_RANGES = Path(__file__).with_name("speaker_embedding_ranges.json")
"""Ranges of the embedding network's activations, by ``evaluation/activation_ranges.py``."""
_EMBEDDING_IN_32_BIT = ("/resnet/conv1/Conv",)
"""The first convolution: the only one whose input, log energies less their mean, is no output of a rectifier."""


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
        voice_activity = load_voice_activity(store.fetch(VOICE_ACTIVITY))
    except ModelUnavailableError as error:
        no_speech = error.detail
        no_speakers = f"needs voice activity: {error.detail}"
    if voice_activity is not None:
        try:
            speakers = OnlineDiarizer(
                load_segmentation(store.fetch(SEGMENTATION)),
                load_embedding(store.fetch(EMBEDDING)),
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


def load_voice_activity(path: Path) -> OnnxNetwork:
    """Voice activity, with its convolutions as matrix products.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    sources = (Path(voice_activity_graph.__file__),)
    return load_made(
        path, f"{VOICE_ACTIVITY}_products", with_products, sources
    ) or load_onnx_network(path)


def load_segmentation(path: Path) -> SegmentationNetwork:
    """The segmentation network in two parts, its LSTM layers in 8 bit.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """
    sources = (Path(segmentation_graph.__file__),)
    filters = load_made(path, f"{SEGMENTATION}_filters", filters_alone, sources)
    rest = load_made(path, f"{SEGMENTATION}_rest", after_filters, sources)
    if filters is None or rest is None:
        return SegmentationNetwork(None, load_onnx_network(path))
    return SegmentationNetwork(filters, rest)


def load_embedding(path: Path) -> OnnxNetwork:
    """The speaker embedding network, its convolutions but the first in 8 bit.

    Raises:
        ModelUnavailableError: the file cannot be read as a network.
    """

    def make(path: Path) -> bytes:
        return convolutions_in_eight_bit(path, EMBEDDING_RANGES, _EMBEDDING_IN_32_BIT)

    sources = (EMBEDDING_RANGES, Path(__file__))
    return load_made(path, EMBEDDING, make, sources) or load_onnx_network(path, optimise=True)
