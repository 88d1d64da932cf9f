"""Cost of a session's audio: CPU milliseconds per second of audio, in one thread.

    uv run python -m benchmarks.audio [--seconds 60] [--published] [--paced]

``--published``: with all networks as published (both that tell speakers apart in 32 bit), for comparison.
``--paced``: only the sessions, at the pace at which audio arrives. Between two pieces other programs use the caches.
"""

from __future__ import annotations

import argparse
import os
import time as clock
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
from evaluation.speech import fetch_carried_speech, read_pcm
from numpy.typing import NDArray

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.diarization.online import OnlineDiarizer
from proctoring.audio.embedding import embed
from proctoring.audio.filterbank import filterbank
from proctoring.audio.networks import (
    EMBEDDING,
    SEGMENTATION,
    VOICE_ACTIVITY,
    AudioModels,
    load_audio_models,
    load_embedding,
    load_segmentation,
)
from proctoring.audio.pcm import Waveform, to_waveform
from proctoring.audio.segmentation import (
    WINDOW,
    FilterCache,
    SegmentationNetwork,
    segment,
)
from proctoring.audio.voice_activity import initial_memory, speech_probabilities
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

RATE = 16_000


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


def print_parts(models: AudioModels, audio: NDArray[np.int16]) -> None:
    """Print how often the networks run for a second of ``audio``."""
    assert models.speakers is not None
    parts = models.speakers.segmentation
    rest, embedding = Counted(parts.rest), Counted(models.speakers.embedding)
    counted = OnlineDiarizer(SegmentationNetwork(parts.filters, rest), embedding)
    AudioAnalyser(replace(models, speakers=counted)).push(audio)
    seconds = len(audio) / RATE
    print(
        f"{'':44} {rest.calls / seconds:5.2f} windows,"
        f" {embedding.frames / 100 / seconds:.2f} s of speaker embedding per second"
    )


def session_cost(models: AudioModels, audio: NDArray[np.int16], *, paced: bool = False) -> float:
    """CPU milliseconds per second of a session that receives ``audio`` in pieces of 100 ms.

    Args:
        paced: a piece every 100 ms, not one after the other.
    """
    analyser = AudioAnalyser(models)
    began, first = clock.thread_time(), clock.perf_counter()
    for start in range(0, len(audio), RATE // 10):
        if paced:
            clock.sleep(max(0.0, first + start / RATE - clock.perf_counter()))
        analyser.push(audio[start : start + RATE // 10])
    return (clock.thread_time() - began) / (len(audio) / RATE) * 1000


def each_second(network: SegmentationNetwork, window: Waveform) -> Callable[[], object]:
    """Segments a window that shares nine seconds with the one before."""
    cache, ends = FilterCache(), count(0, RATE)
    return lambda: segment(network, window, cache, next(ends))


def mixed(
    talk: NDArray[np.int16], other: NDArray[np.int16], share: float, turn: float
) -> NDArray[np.int16]:
    """Talk in turns of ``turn`` seconds, with ``other`` between them, so that ``share`` of the audio is talk."""
    audio, period = other.copy(), round(turn / share * RATE)
    length, said = round(turn * RATE), 0
    for start in range(0, len(audio) - length + 1, period):
        audio[start : start + length] = np.resize(np.roll(talk, -said), length)
        said += length
    return audio


def sounds(carried: Path, seconds: int) -> dict[str, NDArray[np.int16]]:
    """What is measured, by name: real speech of one man, of a dialogue in a play, and none."""
    talk = read_pcm(carried / "two_cities.wav")
    frames = talk[: len(talk) // 400 * 400].reshape(-1, 400)
    loud = frames.astype(np.float64).std(axis=1) > 60
    continuous = frames[np.convolve(loud, np.ones(9), "same") > 0].ravel()
    length = seconds * RATE
    noise = np.random.default_rng(0).normal(scale=30, size=length).astype(np.int16)
    return {
        "talk, pauses removed": np.resize(continuous, length),
        "talk as recorded": np.resize(talk, length),
        "dialogue": np.resize(read_pcm(carried / "endgame_nagg_nell.wav"), length),
        "interview: 60% talk as recorded": mixed(talk, noise, 0.6, 12.0),
        "exam: 5% talk as recorded": mixed(talk, noise, 0.05, 3.0),
        "room noise": noise,
        "digital silence": np.zeros(length, np.int16),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--paced", action="store_true")
    arguments = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_audio_models(store)
    voice = models.voice_activity
    if arguments.published:
        segmentation = SegmentationNetwork(None, load_onnx_network(store.fetch(SEGMENTATION)))
        embedding = load_onnx_network(store.fetch(EMBEDDING), optimise=True)
        voice = load_onnx_network(store.fetch(VOICE_ACTIVITY))
        speakers = OnlineDiarizer(segmentation, embedding)
        models = replace(models, voice_activity=voice, speakers=speakers)
    else:
        segmentation = load_segmentation(store.fetch(SEGMENTATION))
        embedding = load_embedding(store.fetch(EMBEDDING))
    audios = sounds(fetch_carried_speech(store), arguments.seconds)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    print(f"{os.cpu_count()} cores, load {load:.1f}; CPU time of one thread")
    window = to_waveform(audios["talk as recorded"][:WINDOW])
    features = filterbank(window[: 3 * RATE])
    assert voice is not None
    rows: list[tuple[str, Callable[[], object]]] = [
        (
            "voice activity, one second",
            lambda: speech_probabilities(voice, window[:RATE], initial_memory()),
        ),
        ("segmentation, one window of 10 s", lambda: segment(segmentation, window)),
        ("the same, a second after the last", each_second(segmentation, window)),
        ("filterbank, 3 s", lambda: filterbank(window[: 3 * RATE])),
        ("speaker embedding of 3 s", lambda: embed(embedding, features)),
    ]
    for name, work in [] if arguments.paced else rows:
        median, least = cpu_ms(work, 15)
        print(f"{name:44} {median:5.1f} ms (least {least:.1f})")
    print(f"per second of audio, {arguments.seconds} s each:")
    for name, audio in audios.items():
        print(f"{name:44} {session_cost(models, audio, paced=arguments.paced):5.1f} ms", flush=True)
        if not arguments.paced:
            print_parts(models, audio)


if __name__ == "__main__":
    main()
