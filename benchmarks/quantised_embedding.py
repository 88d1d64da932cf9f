"""Cost and accuracy of speaker embeddings in INT8, which the package does not use.

uv run python -m benchmarks.quantised_embedding DATA

The embedding network is quantised (this needs ``onnx``, a development dependency) with activation ranges
of three readers of LibriSpeech; cost and separation are measured on the two others.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from evaluation.speech import read_speech
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from benchmarks.audio import cpu_ms
from proctoring.audio.embedding import SpeakerEmbedding, embed
from proctoring.audio.filterbank import Features, filterbank
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

FRAMES = 200
"""Two seconds, the speech by which a known speaker is checked again."""
ROUNDS = 15
"""Embeddings whose cost is measured."""


class Ranges(CalibrationDataReader):  # type: ignore[misc]
    """Features for calibrating the activation ranges."""

    def __init__(self, features: list[Features]) -> None:
        self._features = iter(features)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next input of the network."""
        one = next(self._features, None)
        if one is None:
            return None
        centred = one - one.mean(axis=0)
        return {"fbank": centred[None], "weights": np.ones((1, len(one)), np.float32)}


def written_out(path: Path, onnx: Path, level: Any) -> None:
    """The network as ONNX."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(onnx)
    options.add_session_config_entry("session.save_model_format", "ONNX")
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def quantised(path: Path, features: list[Features]) -> OnnxNetwork:
    """The network with convolutions, additions and rectifiers in 8 bit."""
    levels = onnxruntime.GraphOptimizationLevel
    with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
        plain, folded, small = (Path(folder) / f"{name}.onnx" for name in ("plain", "folded", "8"))
        written_out(path, plain, levels.ORT_DISABLE_ALL)
        written_out(plain, folded, levels.ORT_ENABLE_BASIC)
        quantize_static(
            folded,
            small,
            Ranges(features),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # One bit less in the weights: without VNNI, sums of two products saturate.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "Add", "Relu"],
        )
        return load_onnx_network(small)


def pieces(folder: Path) -> Iterator[Features]:
    """Two seconds of features, from each utterance of a reader."""
    for file in sorted(folder.glob("*.flac")):
        features = filterbank(read_speech(file).astype(np.float32))
        for start in range(0, len(features) - FRAMES, 2 * FRAMES):
            yield features[start : start + FRAMES]


def equal_error(same: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Equal error rate over cosines of pairs of one speaker and of two."""
    limits = np.sort(np.concatenate([same, other]))
    return float(min(max((same < limit).mean(), (other >= limit).mean()) for limit in limits))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    folders = sorted(
        f for f in (parser.parse_args().data / "speech" / "librispeech").iterdir() if f.is_dir()
    )
    settings = Settings()
    path = ModelStore(settings.models_folder, settings.models_mirror).fetch("speaker_embedding")
    calibration = [piece for folder in folders[:3] for piece in list(pieces(folder))[:10]]
    networks = {
        "32 bit": load_onnx_network(path, optimise=True),
        "8 bit": quantised(path, calibration),
    }
    heard = [(folder.name, piece) for folder in folders[3:] for piece in pieces(folder)]
    embeddings: dict[str, list[SpeakerEmbedding]] = {}
    for name, network in networks.items():
        embeddings[name] = [embed(network, piece) for _, piece in heard]
        cosines = [
            (one @ other, first[0] == second[0])
            for (one, first), (other, second) in combinations(
                zip(embeddings[name], heard, strict=True), 2
            )
        ]
        same = np.array([cosine for cosine, alike in cosines if alike], np.float32)
        other = np.array([cosine for cosine, alike in cosines if not alike], np.float32)
        print(
            f"{name:7} {cpu_ms(lambda network=network: embed(network, heard[0][1]), ROUNDS)[0]:6.1f} ms an embedding"  # type: ignore[misc]
            f" of 2 s; cosine of one voice {same.mean():.3f}, of two {other.mean():.3f},"
            f" equal error {equal_error(same, other):.1%} of {len(same)} and {len(other)} pairs",
            flush=True,
        )
    agree = [float(a @ b) for a, b in zip(*embeddings.values(), strict=True)]
    print(f"cosine of the two: {np.mean(agree):.4f}, least {min(agree):.4f}")


if __name__ == "__main__":
    main()
