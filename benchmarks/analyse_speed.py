"""Speed of analysing a recording, relative to real time.

Run: ``uv run python -m benchmarks.analyse_speed [--seconds 30] [--conversion] [FILE...]``

Without a file, a clip is generated: a real face that moves, 640 x 480, 30 frames a second, H.264. A recorded
exam: ``DATA/gaze/down/demo.mp4``, a man who looks at his screen. The CPU time of the whole process is
measured (decoding, analysis, judgement), because the load of other programs disturbs it least.
``PROCTORING_EVERY_FRAME=1`` measures every frame, changed or not. ``--conversion``: instead, the CPU time of converting a
picture to RGB by the number of threads, which PyAV by default starts anew for each picture, one per core.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from itertools import islice
from pathlib import Path

import av
from av.video.reformatter import VideoReformatter
from tests.recording.clips import face, write_clip

import proctoring
from benchmarks.served import processor
from proctoring.recording.models import RecordingModels
from proctoring.settings import Settings


def made_clip(folder: Path, seconds: float) -> Path:
    """A face that sways by 40 pixels."""
    frames = ((n / 30, face(40 * math.sin(n / 45))) for n in range(round(30 * seconds)))
    return write_clip(folder / "clip.mp4", frames)


def measure(path: Path, models: RecordingModels, settings: Settings, folder: Path) -> None:
    """Print the speed of a recording, without and with an annotated copy."""
    # The first analysis initialises what later ones reuse.
    report = proctoring.analyse(path, models=models, settings=settings)
    off = [found.name for found in report.capabilities if not found.available]
    print(
        f"{path.name}: {settings.object_model}, off: {', '.join(off) or 'nothing'}; "
        f"{processor()}, load {os.getloadavg()[0]:.1f}"
    )
    for name, annotated in (("analyse", None), ("analyse --annotated", folder / "out.mp4")):
        speed = proctoring.analyse(
            path, models=models, settings=settings, annotated=annotated
        ).speed
        print(
            f"{name:20} {speed.duration:6.1f} s of video  {speed.cpu:6.2f} s of CPU"
            f" ({speed.duration / speed.cpu:.1f} x)"
            f"  {speed.elapsed:6.2f} s ({speed.times_real_time:.1f} x)"
        )


def measure_conversion(path: Path) -> None:
    """Print the cost of converting a picture."""
    with av.open(str(path)) as container:
        pictures = list(islice(container.decode(video=0), 60))
    for threads in (1, 2, 16, 64, 1, 2, 16, 64):  # the first round warms up
        converter, began = VideoReformatter(), time.process_time()
        for picture in pictures:
            if threads > 1:
                converter = VideoReformatter()
            converter.reformat(picture, format="rgb24", threads=threads).to_ndarray()
        cost = (time.process_time() - began) / len(pictures)
        print(f"{path.name}: {threads:2} threads: {cost * 1e3:.2f} ms of CPU per picture")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0, help="of the clip that is generated")
    parser.add_argument("--conversion", action="store_true", help="only that of pictures to RGB")
    chosen = parser.parse_args()
    settings = Settings()
    models = proctoring.load_models(settings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for path in chosen.files or [made_clip(folder, chosen.seconds)]:
            if chosen.conversion:
                measure_conversion(path)
                continue
            measure(path, models, settings, folder)


if __name__ == "__main__":
    main()
