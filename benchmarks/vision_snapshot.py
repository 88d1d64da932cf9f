"""What a snapshot of a session's vision and judgement costs: bytes, and CPU time to take, encode and restore it.

uv run python -m benchmarks.vision_snapshot [VIDEO] [--seconds 45]: without a video, a photograph of a face that sways.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from evaluation.gating.variants import Sender, Variant

from benchmarks.processor_time import median_and_most
from proctoring import snapshots
from proctoring.judgement.policy import shipped_policy
from proctoring.models.store import ModelStore
from proctoring.session.pipeline import JudgementSnapshot, Pipeline
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.identity.verifier import VerifierFaces
from proctoring.vision.networks import load_vision_models
from proctoring.vision.snapshot import HotVision, LearnedVision, VisionPictures
from proctoring.vision.video_file import read_frames

ROUNDS = 300
RATE = 10


def milliseconds(work: Callable[[], object]) -> str:
    """Median and 99th percentile of this thread's CPU time for one call."""
    median, most = median_and_most(work, ROUNDS)
    return f"{median * 1e3:6.3f} ({most * 1e3:.3f})"


def show(name: str, take: Callable[[], object], kind: type) -> None:
    """Print a line of the table."""
    value = take()
    data = snapshots.encode(value)
    print(
        f"{name:12} {len(data):8,} bytes  take {milliseconds(take)}"
        f"  encode {milliseconds(lambda: snapshots.encode(value))}"
        f"  decode {milliseconds(lambda: snapshots.decode(data, kind))} ms",
        flush=True,
    )


def swaying() -> Iterator[tuple[float, Pixels]]:
    """A face before a wall, which never ends."""
    photo, n = np.asarray(getattr(skimage.data, "astronaut")(), np.uint8), 0  # noqa: B009  # untyped
    while True:
        sway = 6 * np.sin(n / 7), 3 * np.sin(n / 11)
        matrix = np.array([[1.5, 0, -10 + sway[0]], [0, 1.5, -8 + sway[1]]])
        yield n / RATE, np.asarray(cv2.warpAffine(photo, matrix, (640, 480)), np.uint8)
        n += 1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=45.0)
    arguments = parser.parse_args()
    settings = Settings()
    models = load_vision_models(
        ModelStore(settings.models_folder, settings.models_mirror),
        object_model=settings.object_model,
    )
    pictures = (
        swaying()
        if arguments.video is None
        else ((frame.time, frame.pixels) for frame in read_frames(arguments.video))
    )
    sender, policy = Sender(Variant(2, 85)), shipped_policy("exam")
    pipeline = Pipeline(policy, VisionAnalyser(models))
    for at, picture in takewhile(lambda one: one[0] <= arguments.seconds, pictures):
        if pipeline.is_due(at):
            pipeline.analyse(Frame(at, read_jpeg(sender.encode(picture))))
    analyser = pipeline.analyser
    print(
        f"CPU time, median and 99th percentile of {ROUNDS} calls; load {Path('/proc/loadavg').read_text().split()[0]}"
    )
    show("judgement", pipeline.judgement, JudgementSnapshot)
    show("hot", analyser.hot, HotVision)
    show("learned", analyser.learned, LearnedVision)
    show("biometrics", analyser.biometrics, VerifierFaces)
    show("pictures", analyser.pictures, VisionPictures)
    kept = analyser.snapshot()
    print(f"restore: {milliseconds(lambda: VisionAnalyser(models, kept=kept))} ms")


if __name__ == "__main__":
    main()
