"""Sound whose speakers are known, and networks that hear it: for tests of what surrounds the real networks.

The amplitude says who speaks. What the networks find depends on all that they are given, memory included.
"""

from __future__ import annotations

import zlib

import numpy as np

from proctoring.audio.diarization.online import OnlineDiarizer
from proctoring.audio.embedding import SpeakerEmbedding, normalised
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.segmentation import (
    FRAME_CENTRE,
    FRAME_STEP,
    FRAMES,
    LOCAL_SPEAKERS,
    SegmentationNetwork,
)
from proctoring.models.onnx_runtime import OnnxNetwork

LEVELS = {"": 0.0, "candidate": 0.2, "stranger": 0.5}
"""Amplitude of each speaker, by which the segmentation tells them apart."""
_BORDERS = (0.1, 0.35)
_DEPTHS = {"": 0.0, "candidate": 0.05, "stranger": 0.15}
"""How much the amplitude varies every hundredth of a second, by which embeddings tell them apart."""
_BLOCK = 160


def _orthogonal() -> list[SpeakerEmbedding]:
    columns, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(256, LOCAL_SPEAKERS)))
    return [normalised(column.astype(np.float32)) for column in columns.T]


CANDIDATE, STRANGER, _ = _orthogonal()


def sound(*parts: tuple[str, float], seed: int = 0) -> Pcm:
    """One part after another: who speaks, and for how many seconds."""
    random = np.random.default_rng(seed)
    pieces = [np.zeros(0)]
    for who, seconds in parts:
        samples = round(seconds * SAMPLE_RATE)
        varying = 1 + _DEPTHS[who] * random.uniform(-1, 1, samples // _BLOCK + 1)
        signs = np.where(np.arange(samples) % 2, 1, -1)
        noise = random.uniform(0.98, 1.0, samples)
        pieces.append(LEVELS[who] * np.repeat(varying, _BLOCK)[:samples] * signs * noise)
    return (np.concatenate(pieces) * 32_767).astype(np.int16)


class _VoiceActivity(OnnxNetwork):
    def __init__(self) -> None:
        pass

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        hidden, cell = inputs["h"].copy(), inputs["c"].copy()
        probabilities = []
        for frame in inputs["input"]:
            level = np.float32(np.abs(frame).mean())
            hidden = (np.float32(0.8) * hidden + level).astype(np.float32)
            cell = (cell * np.float32(0.9) + frame[:128].reshape(cell.shape)).astype(np.float32)
            lingers = 0.02 * hidden.mean() + 0.001 * cell.mean()
            probabilities.append(min(1.0, 0.6 * float(level > _BORDERS[0]) + float(lingers)))
        return np.array(probabilities, np.float32), hidden, cell


class _Segmentation(OnnxNetwork):
    def __init__(self) -> None:
        pass

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        window = np.abs(inputs["waveforms"][0, 0])
        centres = ((FRAME_CENTRE + FRAME_STEP * np.arange(FRAMES)) * SAMPLE_RATE).astype(np.intp)
        who = np.digitize(window[centres], _BORDERS)
        return ((who[:, None] == np.arange(1, LOCAL_SPEAKERS + 1)).astype(np.float32)[None],)


class _Embedding(OnnxNetwork):
    def __init__(self) -> None:
        pass

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        features = inputs["fbank"]
        levels = features[0].mean(axis=1)
        varies = float(np.median(np.abs(levels - np.median(levels))))
        voice = CANDIDATE if varies < 0.045 else STRANGER
        noise = np.random.default_rng(zlib.crc32(features.tobytes())).normal(scale=0.03, size=256)
        return ((voice + noise).astype(np.float32)[None],)


def synthetic_models() -> AudioModels:
    """Networks that hear ``sound``."""
    diarizer = OnlineDiarizer(SegmentationNetwork(None, _Segmentation()), _Embedding())
    return AudioModels(_VoiceActivity(), diarizer, ())
