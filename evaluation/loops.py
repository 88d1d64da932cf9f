"""Recordings fed as loops in place of a camera: ``python -m evaluation.loops DATA``.

The first part feeds the first seconds of recordings again and again, as clients and virtual cameras do:
other frames of the loop are sampled in every turn, frames are lost, the loop runs back, the pictures
are encoded anew. It prints how many seconds after the start of the second turn that is found, exact
repetitions by ``RepetitionDetector``, near ones by ``InjectionDetector``. The second part plays every
recording once: each repetition found there is a false alarm.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg

from proctoring.errors import BadFrameError
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.injection import InjectionDetector
from proctoring.vision.near_repetition import SAMPLE_PERIOD
from proctoring.vision.repetition import RepetitionDetector
from proctoring.vision.schedule import Schedule
from proctoring.vision.video_file import read_frames

CLIPS = ("d6.mp4", "d9.mp4")
LENGTHS = (2.0, 3.0, 4.33, 6.0, 8.0, 15.0)
LATE = 10
"""Turns after which a loop counts as not found."""
_QUALITY = 85
"""JPEG quality of frames."""
_VIDEOS = {".mp4", ".mkv", ".mpg", ".mov", ".webm"}


@dataclass(frozen=True, slots=True)
class Guise:
    """How a loop is played and sampled."""

    name: str
    rate: float = 10.0
    """Frames per second that the client samples."""
    jitter: float = 0.0
    """Largest error of its sampling times, in seconds."""
    lost: float = 0.0
    """Share of the frames that do not arrive."""
    back: bool = False
    """Whether every other turn runs backwards."""
    qualities: tuple[int, int] | None = None
    """Range of the JPEG qualities in which the client encodes; ``None``: always ``_QUALITY``."""


GUISES = (
    Guise("10 fps on the grid"),
    Guise("10 fps, 40 ms jitter", jitter=0.04),
    Guise("the same, half of it lost", jitter=0.04, lost=0.5),
    Guise("5 fps, 80 ms jitter", rate=5.0, jitter=0.08),
    Guise("2 fps, 200 ms jitter", rate=2.0, jitter=0.2),
    Guise("forth and back", jitter=0.04, back=True),
    Guise("JPEG 60 to 90", jitter=0.04, qualities=(60, 90)),
)


def main() -> None:
    """Print when loops are found, then false alarms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--parts", default="loops,once")
    chosen = parser.parse_args()
    if "loops" in chosen.parts:
        for name in CLIPS:
            for length in LENGTHS:
                _loop(chosen.data / "video/liveportrait" / name, length)
    if "once" in chosen.parts:
        _once(chosen.data)


def _loop(path: Path, length: float) -> None:
    frames = [frame.pixels for frame in read_frames(path) if frame.time < length]
    found = []
    for guise in GUISES:
        end = length * LATE if guise.qualities is None else 2 * length + 20
        times = _first_found(_played(frames, length, guise, end))
        found.append(f"{guise.name}: {_told(times, length)}")
    print(f"{path.stem}, {length:g} s: " + "; ".join(found), flush=True)


def _told(times: dict[str, float], length: float) -> str:
    if not times:
        return "not found"
    return ", ".join(
        f"{kind} {t - length:.1f} s (turn {t / length:.1f})" for kind, t in times.items()
    )


def _played(frames: list[Pixels], length: float, guise: Guise, end: float) -> Iterator[Frame]:
    generator = np.random.default_rng(1)
    rate = len(frames) / length
    encoded = [simplejpeg.encode_jpeg(pixels, quality=_QUALITY) for pixels in frames]
    for n in range(int(end * guise.rate)):
        time = max(0.0, n / guise.rate + float(generator.uniform(-1, 1)) * guise.jitter)
        if generator.random() < guise.lost:
            continue
        turn, number = divmod(int(time * rate), len(frames))
        number = len(frames) - 1 - number if guise.back and turn % 2 else number
        data = encoded[number]
        if guise.qualities is not None:
            low, high = guise.qualities
            quality = int(generator.integers(low, high + 1))
            data = simplejpeg.encode_jpeg(frames[number], quality=quality)
        yield Frame(time, read_jpeg(data))


def _first_found(frames: Iterator[Frame]) -> dict[str, float]:
    """Times at which an exact and a near repetition were first found, by these words."""
    exact, near, schedule = RepetitionDetector(), InjectionDetector(), Schedule()
    found: dict[str, float] = {}
    for frame in frames:
        time = frame.time
        exact.update(frame)
        if "exact" not in found and exact.repetition(time) is not None:
            found["exact"] = time
        if schedule.start_if_due(time, SAMPLE_PERIOD):
            signs = near.update(frame)
            if signs.repeats_after is not None:
                found.setdefault("near", time)
    return found


def _once(data: Path) -> None:
    clips, seconds = 0, 0.0
    for path in sorted(data.rglob("*")):
        if path.suffix not in _VIDEOS:
            continue
        played: list[float] = []
        found = _first_found(_whole(path, played))
        clips += 1
        seconds += played[-1] if played else 0.0
        if found:
            print(f"!! {path.relative_to(data)}: {found}")
    print(f"played once: {clips} recordings, {seconds:.0f} s")


def _whole(path: Path, played: list[float]) -> Iterator[Frame]:
    try:
        for frame in read_frames(path):
            played.append(frame.time)
            yield Frame(frame.time, read_jpeg(simplejpeg.encode_jpeg(frame.pixels, _QUALITY)))
    except BadFrameError as error:
        print(f"{path.name}: {error}")


if __name__ == "__main__":
    main()
