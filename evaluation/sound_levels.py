"""How quiet real microphones get: half seconds of every recording against ``audio.max_silent_level``.

    uv run python -m evaluation.sound_levels DATA [--show 12]

One line per recording, the quietest first: its quietest half second, its median, and for how long in a
row it is at most the level that the policy takes for digital silence.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median

import numpy as np

from proctoring.audio.analyser import STEP
from proctoring.audio.pcm import SAMPLE_RATE, level_dbfs
from proctoring.audio.recording import has_audio_track, read_audio
from proctoring.errors import BadRecordingError
from proctoring.judgement import shipped_policy

SUFFIXES = {".flac", ".mkv", ".mov", ".mp4", ".mpg", ".wav", ".webm"}


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels of a recording's half seconds, in decibels below full scale."""

    name: str
    values: tuple[float, ...]

    def longest_silence(self, limit: float) -> float:
        """Seconds in a row at or below ``limit``."""
        runs = (
            len(list(run)) for silent, run in groupby(self.values, lambda v: v <= limit) if silent
        )
        return max(runs, default=0) * STEP / SAMPLE_RATE


def levels(data: Path) -> Iterator[Levels]:
    """Of every recording in the folder that has at least half a second of audio."""
    for path in sorted(data.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not has_audio_track(path):
            continue
        try:
            samples = np.concatenate([chunk.samples for chunk in read_audio(path)])
        except (BadRecordingError, ValueError) as error:
            print(f"{path.name}: {error}")
            continue
        whole = samples[: len(samples) // STEP * STEP].reshape(-1, STEP)
        if len(whole):
            name = str(path.relative_to(data))
            yield Levels(name, tuple(level_dbfs(step) for step in whole))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--show", type=int, default=12, help="recordings to list")
    arguments = parser.parse_args()
    limit = shipped_policy("exam").audio.max_silent_level
    found = list(levels(arguments.data))
    zeros = [one for one in found if max(one.values) <= limit]
    heard = sorted((one for one in found if max(one.values) > limit), key=lambda o: min(o.values))
    print(
        f"{len(found)} recordings; {len(zeros)} of nothing but digital silence (at most {limit:g})"
    )
    print("\nquietest half second | median | seconds in a row of digital silence | recording")
    for one in heard[: arguments.show]:
        silence = one.longest_silence(limit)
        print(f"{min(one.values):.1f} | {median(one.values):.1f} | {silence:.1f} | {one.name}")


if __name__ == "__main__":
    main()
