"""What carrying faces over saves: networks' runs and CPU of one second of a session.

Run: ``uv run python -m benchmarks.gated DATA [--seconds 40] [SCENE ...]``

The recordings of the load generator (``benchmarks/load/scenes.py``) as JPEGs of 640 x 480 with noise, ten a
second, through the server's own path under the exam policy, each to two sessions in turn: gated, and one
that measures faces in every frame. The first seconds, in which a session learns and measures every frame, are
left out. CPU is that of the thread: decoding, analysis, object detection, judgement and the reply's JSON.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.gating.counted import counted
from evaluation.sessions import evaluation_models

from benchmarks.load.scenes import RATE, SCENES, Clip, read_stream, stream
from benchmarks.served import processor
from proctoring.judgement import shipped_policy
from proctoring.server.observation_json import observation_text
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame
from proctoring.vision.networks import VisionModels

LEARNING = 15.0
"""Seconds at the start that are left out."""
SHOWN = ("landmarks", "blendshapes", "detection", "objects")
"""Networks whose runs are printed."""


@dataclass(slots=True)
class Spent:
    """What one session spent after the first seconds."""

    seconds: float = 0.0
    cpu: float = 0.0
    runs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Frames by why faces were measured; empty: carried over."""

    def add(self, other: Spent) -> None:
        """Add another session."""
        self.seconds += other.seconds
        self.cpu += other.cpu
        self.runs += other.runs
        self.reasons += other.reasons

    def __str__(self) -> str:
        seconds = max(self.seconds, 1e-9)
        runs = ", ".join(f"{name} {self.runs[name] / seconds:.1f}" for name in SHOWN)
        return f"{1e3 * self.cpu / seconds:4.0f} ms of CPU; runs: {runs}"


def run(jpegs: list[bytes], models: VisionModels, *, gated: bool) -> Spent:
    """One session."""
    runs: Counter[str] = Counter()
    analyser = VisionAnalyser(counted(models, runs), gated=gated)
    pipeline = Pipeline(shipped_policy("exam").unattended(), analyser)
    spent = Spent()
    for number, jpeg in enumerate(jpegs):
        at = number / RATE
        if at == LEARNING:
            runs.clear()
        began = time.thread_time()
        frame = Frame(at, read_jpeg(jpeg))
        analysis, _ = pipeline.analyse(frame)
        observation_text(analysis, capture=None, decode_ms=0.0, latency_ms=0.0, landmarks=False)
        if at >= LEARNING:
            spent.cpu += time.thread_time() - began
            spent.seconds += 1 / RATE
            spent.reasons[analysis.measured] += 1
    spent.runs = runs
    return spent


def measure(clip: Clip, data: Path, seconds: float, models: VisionModels) -> dict[bool, Spent]:
    """One recording: what the gated session spent (``True``), and the other."""
    cache = Path(tempfile.gettempdir()) / "proctoring-load"
    jpegs = read_stream(stream(data, clip, seconds, 1.5, cache))[: round(seconds * RATE)]
    return {gated: run(jpegs, models, gated=gated) for gated in (False, True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of labelled recordings")
    parser.add_argument("scenes", nargs="*", help=f"of {', '.join(SCENES)}")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each recording")
    chosen = parser.parse_args()
    models = evaluation_models(chosen.data)
    print(f"{processor()}, load {os.getloadavg()[0]:.1f}. Per second of a session:")
    for scene in chosen.scenes or SCENES:
        sums = {False: Spent(), True: Spent()}
        for clip in SCENES[scene]:
            for gated, spent in measure(clip, chosen.data, chosen.seconds, models).items():
                sums[gated].add(spent)
                reasons = ", ".join(
                    f"{why or 'carried over'} {count}" for why, count in spent.reasons.most_common()
                )
                print(f"  {clip}, {'gated' if gated else 'every frame'}: {spent} ({reasons})")
        for gated, spent in sums.items():
            print(f"{scene}, {'gated' if gated else 'every frame'}: {spent}", flush=True)
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
