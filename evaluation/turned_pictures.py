"""Turned pictures in clips of people: ``python -m evaluation.turned_pictures DATA``.

Each clean clip of ``video/`` is played forth and back for 8 s at five frames a second, upright and turned by 90,
180 and 270 degrees, through face analysis and judgement under the exam policy. Upright, "Picture
Turned" is a false alarm; turned, "No Face Detected" is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain, cycle, islice
from pathlib import Path

import numpy as np

from evaluation.clean_clips import clean_clips
from evaluation.sessions import evaluation_models
from proctoring.incidents import IncidentState
from proctoring.judgement import Policy, initial_state, judge
from proctoring.judgement.policy import load_policy
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames

RATE, SECONDS = 5.0, 8.0
_MAX_READ = 4.0
"""Seconds of a clip that are kept in memory."""


def main() -> None:
    """Print, for each rotation, in how many clips a turned picture and an absence were told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=1, help="every n-th clip")
    arguments = parser.parse_args()
    models = VisionModels(evaluation_models(arguments.data).faces, None, ())
    policy = load_policy("exam")
    clips = clean_clips(arguments.data / "video")[:: arguments.every]
    for turns in range(4):
        told: list[float] = []
        absent: list[str] = []
        for path in clips:
            started = incidents(models, policy, pictures(path, turns))
            told += [started["camera.turned"]] if "camera.turned" in started else []
            absent += [path.name] if "face.absent" in started else []
        when = f", after {np.median(told):.1f} s (latest {max(told):.1f})" if told else ""
        print(
            f"{90 * turns} degrees: {len(told)} of {len(clips)} told as turned{when}; absent: {absent}"
        )


def pictures(path: Path, turns: int) -> Iterator[Pixels]:
    """The clip's pictures, forth and back, each turned by so many times 90 degrees."""
    kept: list[Pixels] = []
    for frame in read_frames(path):
        if frame.time >= len(kept) / RATE:
            kept.append(np.ascontiguousarray(np.rot90(frame.pixels, turns)))
        if frame.time >= _MAX_READ:
            break
    return islice(cycle(chain(kept, reversed(kept))), int(SECONDS * RATE))


def incidents(models: VisionModels, policy: Policy, shown: Iterator[Pixels]) -> dict[str, float]:
    """Kind of incident to the media time at which it was told first."""
    analyser, state = VisionAnalyser(models), initial_state()
    started: dict[str, float] = {}
    for index, pixels in enumerate(shown):
        observation = analyser.analyse(Frame(index / RATE, pixels)).observation
        state, changes = judge(policy, state, observation)
        for change in changes:
            if change.state is IncidentState.STARTED:
                started.setdefault(change.kind, observation.time)
    return started


if __name__ == "__main__":
    main()
