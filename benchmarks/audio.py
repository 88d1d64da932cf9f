"""Cost of a session's audio: CPU milliseconds per second of audio, in one thread.

uv run python -m benchmarks.audio
"""

from __future__ import annotations

import argparse
import os
import time as clock
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from evaluation.speech import fetch_carried_speech, read_pcm
from numpy.typing import NDArray

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.diarization.online import OnlineDiarizer
from proctoring.audio.embedding import embed
from proctoring.audio.filterbank import filterbank
from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.audio.pcm import to_waveform
from proctoring.audio.segmentation import WINDOW, segment
from proctoring.audio.voice_activity import initial_memory, speech_probabilities
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

RATE = 16_000
REFERENCE_WINDOW, REFERENCE_PRINT, REFERENCE_VOICE_ACTIVITY = 27.0, 29.0, 2.5
"""Milliseconds of one window, a second of speaker embedding and a second of voice activity on a quiet
server CPU with AVX-512, measured separately, with the embedding in its published weight layout."""

Networks = tuple[OnnxNetwork, OnnxNetwork]


def cpu_ms(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and least CPU milliseconds of this thread for one call."""
    work()
    costs = []
    for _ in range(rounds):
        began = clock.thread_time()
        work()
        costs.append((clock.thread_time() - began) * 1000)
    return float(np.median(costs)), min(costs)


class Counted(OnnxNetwork):
    """A network that counts its calls and the seconds of audio in them."""

    def __init__(self, network: OnnxNetwork) -> None:
        self._network = network
        self.calls, self.frames = 0, 0

    def __call__(self, **inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        self.calls += 1
        self.frames += next(iter(inputs.values())).shape[1]
        return self._network(**inputs)


def print_reference(models: AudioModels, audio: NDArray[np.int16], networks: Networks) -> None:
    """Print the cost of a second of talk on the reference machine, computed from its parts."""
    segmentation, embedding = Counted(networks[0]), Counted(networks[1])
    AudioAnalyser(replace(models, speakers=OnlineDiarizer(segmentation, embedding))).push(audio)
    seconds = len(audio) / RATE
    looks, printed = segmentation.calls / seconds, embedding.frames / 100 / seconds
    cost = looks * REFERENCE_WINDOW + printed * REFERENCE_PRINT + REFERENCE_VOICE_ACTIVITY
    print(
        f"  of it {looks:.2f} windows and {printed:.2f} s of speaker embedding per second: by its parts "
        f"{cost:.0f} ms on the reference machine (aim: 60)"
    )


def session_cost(models: AudioModels, audio: NDArray[np.int16]) -> float:
    """CPU milliseconds per second of a session that receives ``audio`` in pieces of 100 ms."""
    analyser = AudioAnalyser(models)
    began = clock.thread_time()
    for start in range(0, len(audio), RATE // 10):
        analyser.push(audio[start : start + RATE // 10])
    return (clock.thread_time() - began) / (len(audio) / RATE) * 1000


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_audio_models(store)
    talk = read_pcm(fetch_carried_speech(store) / "two_cities.wav")
    frames = talk[: len(talk) // 400 * 400].reshape(-1, 400)
    loud = frames.astype(np.float64).std(axis=1) > 60
    continuous = frames[np.convolve(loud, np.ones(9), "same") > 0].ravel()
    continuous = np.resize(continuous, seconds * RATE)
    noise = np.random.default_rng(0).normal(scale=30, size=seconds * RATE).astype(np.int16)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f}; CPU time of one thread")
    voice = load_onnx_network(store.fetch("silero_vad"))
    segmentation = load_onnx_network(store.fetch("speaker_segmentation"))
    embedding = load_onnx_network(store.fetch("speaker_embedding"), optimise=True)
    second, window = to_waveform(continuous[:RATE]), to_waveform(continuous[:WINDOW])
    features = filterbank(window[: 3 * RATE])
    rows: list[tuple[str, Callable[[], object]]] = [
        (
            "voice activity, one second",
            lambda: speech_probabilities(voice, second, initial_memory()),
        ),
        ("segmentation, one window of 10 s", lambda: segment(segmentation, window)),
        ("filterbank, 3 s", lambda: filterbank(window[: 3 * RATE])),
        ("speaker embedding of 3 s", lambda: embed(embedding, features)),
    ]
    for name, work in rows:
        median, least = cpu_ms(work, 15)
        print(f"{name:36} {median:6.1f} ms (least {least:.1f})")
    for name, audio in (
        (f"one person talking without pause, {seconds} s", continuous),
        (f"room noise, {seconds} s", noise),
        (f"digital silence, {seconds} s", np.zeros(seconds * RATE, np.int16)),
    ):
        print(f"{name:36} {session_cost(models, audio):6.1f} ms per second of audio")
        if audio is continuous:
            print_reference(models, audio, (segmentation, embedding))


if __name__ == "__main__":
    main()
