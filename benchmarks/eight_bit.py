"""Cost and accuracy of the audio networks in 8 bit, as they run, against the published ones in 32 bit.

uv run python -m benchmarks.eight_bit DATA

Segmentation is compared on windows of real conversation (``DATA/speech/meetings``), embeddings on two seconds of the
two readers of LibriSpeech whose speech was not used for the activation ranges.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
from evaluation.speakers import HELD_OUT
from evaluation.speech import read_pcm, read_speech
from numpy.typing import NDArray

from benchmarks.audio import cpu_ms
from proctoring.audio.embedding import SpeakerEmbedding, embed
from proctoring.audio.filterbank import Features, filterbank
from proctoring.audio.networks import EMBEDDING, SEGMENTATION, load_embedding, load_segmentation
from proctoring.audio.pcm import Waveform, to_waveform
from proctoring.audio.segmentation import WINDOW, SegmentationNetwork, segment
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

FRAMES = 200
"""Two seconds, the speech by which a known speaker is checked again."""
ROUNDS = 15
"""Calls whose cost is measured."""


def windows(folder: Path) -> Iterator[Waveform]:
    """Windows of ten seconds, one every five, of every recording."""
    for file in sorted(folder.glob("*.wav")):
        audio = to_waveform(read_pcm(file))
        for start in range(0, len(audio) - WINDOW, WINDOW // 2):
            yield audio[start : start + WINDOW]


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


def print_segmentation(networks: dict[str, SegmentationNetwork], heard: list[Waveform]) -> None:
    """Print cost, and in how much of the speech the two differ."""
    for name, network in networks.items():
        cost = cpu_ms(lambda network=network: segment(network, heard[0]), ROUNDS)[0]  # type: ignore[misc]
        print(f"segmentation {name:7} {cost:6.1f} ms a window of 10 s, nothing of it known")
    found = [np.stack([segment(n, window) for window in heard]) for n in networks.values()]
    differ = int((found[0] != found[1]).sum())
    print(f"frames of a speaker in which the two differ: {differ / found[0].sum():.2%}")


def print_embeddings(networks: dict[str, OnnxNetwork], heard: list[tuple[str, Features]]) -> None:
    """Print cost, separation of the readers, and how alike the embeddings of the two are."""
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
        cost = cpu_ms(lambda network=network: embed(network, heard[0][1]), ROUNDS)[0]  # type: ignore[misc]
        print(
            f"embedding    {name:7} {cost:6.1f} ms for 2 s; cosine of one voice {same.mean():.3f},"
            f" of two {other.mean():.3f}, equal error {equal_error(same, other):.1%}"
            f" of {len(same)} and {len(other)} pairs",
            flush=True,
        )
    agree = [float(a @ b) for a, b in zip(*embeddings.values(), strict=True)]
    print(f"cosine of the two: {np.mean(agree):.4f}, least {min(agree):.4f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    speech = parser.parse_args().data / "speech"
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; CPU time of one thread")
    path = store.fetch(SEGMENTATION)
    print_segmentation(
        {
            "32 bit": SegmentationNetwork(None, load_onnx_network(path)),
            "8 bit": load_segmentation(path),
        },
        list(windows(speech / "meetings")),
    )
    path = store.fetch(EMBEDDING)
    readers = [folder for name in HELD_OUT if (folder := speech / "librispeech" / name).is_dir()]
    print_embeddings(
        {"32 bit": load_onnx_network(path, optimise=True), "8 bit": load_embedding(path)},
        [(folder.name, piece) for folder in readers for piece in pieces(folder)],
    )


if __name__ == "__main__":
    main()
