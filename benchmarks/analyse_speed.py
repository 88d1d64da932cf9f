"""How much faster than real time a recording is analysed.

Run: ``uv run python -m benchmarks.analyse_speed [--seconds 30] [FILE]``

Without a file, a clip is made: a real face that moves, 640 x 480, 30 frames a second, H.264. CPU
time of the whole process counts (decoding, analysis, judgement), as other programs' load does not
disturb it; per second of CPU is what one core does.
"""

from __future__ import annotations

import argparse
import math
import platform
import tempfile
import time
from pathlib import Path

from tests.recording.clips import face, write_clip

from proctoring.judgement import shipped_policy
from proctoring.models.store import ModelStore
from proctoring.recording.annotation import FrameAnnotator
from proctoring.recording.video_track import analyse_video
from proctoring.recording.writer import VideoWriter
from proctoring.session.pipeline import Pipeline
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels, load_vision_models


def made_clip(folder: Path, seconds: float) -> Path:
    """A face that sways by 40 pixels."""
    frames = ((n / 30, face(40 * math.sin(n / 45))) for n in range(round(30 * seconds)))
    return write_clip(folder / "clip.mp4", frames)


def measured(models: VisionModels, path: Path, drawn: Path | None) -> tuple[float, float, float]:
    """Seconds of video, of CPU, and of the clock on the wall."""
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(models))
    annotator, last = FrameAnnotator(), 0.0
    cpu, wall = time.process_time(), time.perf_counter()
    if drawn is None:
        for analysed in analyse_video(path, pipeline):
            last = analysed.frame.time
    else:
        with VideoWriter(drawn) as writer:
            for analysed in analyse_video(path, pipeline):
                last = analysed.frame.time
                writer.write(
                    last, annotator.annotate(analysed.frame, analysed.analysis, analysed.changes)
                )
    return last, time.process_time() - cpu, time.perf_counter() - wall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    settings = Settings()
    models = load_vision_models(
        ModelStore(settings.models_folder, settings.models_mirror),
        object_model=settings.object_model,
    )
    off = [capability.name for capability in models.capabilities if not capability.available]
    with tempfile.TemporaryDirectory() as folder:
        path = chosen.file or made_clip(Path(folder), chosen.seconds)
        measured(models, path, None)  # the first calls set up what later ones use
        print(f"{platform.machine()}, {settings.object_model}, off: {', '.join(off) or 'nothing'}")
        for name, drawn in (("analyse", None), ("analyse --annotated", Path(folder) / "out.mp4")):
            video, cpu, wall = measured(models, path, drawn)
            print(
                f"{name:20} {video:6.1f} s of video  {cpu:6.2f} s of CPU ({video / cpu:.1f} x)"
                f"  {wall:6.2f} s ({video / wall:.1f} x)"
            )


if __name__ == "__main__":
    main()
