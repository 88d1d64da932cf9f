"""What a session would cost on a CPU with AVX-512 and bf16: computed, not measured.

    uv run python -m benchmarks.avx512 DATA [--seconds 30] [--beside 40] [SCENE ...]

Plays the recordings of the load generator like ``benchmarks.gated`` and measures on this machine how often each network runs and
how long it takes. Each run is then counted with the time that was measured on a CPU with AVX-512 and bf16 before this project
began (``THERE``). Everything else is counted twice: as long as here, and half as long (a JPEG took 0.50 ms there, and
takes 1.4 here; voice activity 2.5 and 3.0). ``--beside``: milliseconds per session-second of what is not vision,
sockets and sound at 5% talk, taken from ``benchmarks.load``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from evaluation.sessions import evaluation_models

from benchmarks.gated import LEARNING
from benchmarks.load.scenes import RATE, SCENES, read_stream, stream
from benchmarks.served import processor
from proctoring.judgement import shipped_policy
from proctoring.models.network import Network
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame
from proctoring.vision.networks import VisionModels

NAMES = {
    (1, 256, 256, 3): "landmarks",
    (1, 146, 2): "blendshapes",
    (1, 192, 192, 3): "face detection",
    (1, 300, 300, 3): "objects",
    (1, 3, 80, 80): "liveness",
    (1, 3, 128, 128): "liveness",
    (1, 150, 150, 3): "identity",
}
"""Networks by their input. Any other is a later part of object detection."""
THERE = {
    "landmarks": 2.5,
    "blendshapes": 0.35,
    "face detection": 2.8,
    "objects": 10.4,
    "liveness": 0.7,
}
"""Milliseconds per run on a two-core server CPU with AVX-512, VNNI and bf16, one thread: 32 bit, objects in bf16 and
with all 91 classes (an upper bound). Identity was not measured there and counts as here."""
OCCUPIED = 0.7
"""Share of a core up to which sessions are counted."""


@dataclass
class Spent:
    """What sessions spent; nothing is added unless ``counts``."""

    cpu: float = 0.0
    length: float = 0.0
    """Seconds of the sessions."""
    runs: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Of the thread, in each network."""
    counts: bool = False

    def watching(self) -> Any:
        """Until this context ends, runs of networks are added."""
        call = Network.__call__

        def watched(network: Network, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
            began = time.thread_time()
            try:
                return call(network, *inputs)
            finally:
                if self.counts:
                    name = NAMES.get(network.input_shapes[0])
                    self.runs[name or "objects"] += name is not None
                    self.seconds[name or "objects"] += time.thread_time() - began

        return patch.object(Network, "__call__", watched)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of labelled recordings")
    parser.add_argument("scenes", nargs="*", default=["still", "reading", "talking"])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each recording")
    parser.add_argument("--beside", type=float, default=40.0)
    chosen = parser.parse_args()
    models = evaluation_models(chosen.data)
    print(f"{processor()}, load {os.getloadavg()[0]:.1f}. Per second of a session:")
    cache = Path(tempfile.gettempdir()) / "proctoring-load"
    for scene in chosen.scenes:
        spent = Spent()
        for clip in SCENES[scene]:
            jpegs = read_stream(stream(chosen.data, clip, chosen.seconds, 1.5, cache))
            play(jpegs[: round(chosen.seconds * RATE)], models, spent)
        show(scene, spent, chosen.beside)
    print(f"load {os.getloadavg()[0]:.1f}")


def play(jpegs: list[bytes], models: VisionModels, spent: Spent) -> None:
    """One session under the exam policy; the seconds in which it learns are left out."""
    pipeline = Pipeline(shipped_policy("exam").unattended(), VisionAnalyser(models))
    with spent.watching():
        for number, jpeg in enumerate(jpegs):
            at = number / RATE
            spent.counts = at >= LEARNING
            began = time.thread_time()
            pipeline.analyse(Frame(at, read_jpeg(jpeg)))
            if spent.counts:
                spent.cpu += time.thread_time() - began
                spent.length += 1 / RATE


def show(scene: str, spent: Spent, beside: float) -> None:
    runs = {name: count / spent.length for name, count in spent.runs.items()}
    here = {name: 1e3 * seconds / spent.length for name, seconds in spent.seconds.items()}
    there = {name: runs[name] * THERE[name] if name in THERE else here[name] for name in here}
    rest = 1e3 * spent.cpu / spent.length - sum(here.values()) + beside
    print(scene)
    for name in here:
        print(f"  {name}: {runs[name]:.2f} runs, {here[name]:.1f} ms here, {there[name]:.1f} there")
    print(f"  all else: {rest:.0f} ms, of it {beside:.0f} beside vision")
    for where, total in (
        ("here", sum(here.values()) + rest),
        ("there, all else as here", sum(there.values()) + rest),
        ("there, all else in half the time", sum(there.values()) + rest / 2),
    ):
        print(
            f"  {where}: {total:.0f} ms, {1000 * OCCUPIED / total:.1f} sessions a core", flush=True
        )


if __name__ == "__main__":
    main()
