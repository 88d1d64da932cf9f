"""Incidents of the whole pipeline on clean clips: ``python -m evaluation.clean_clips DATA``.

The labels of ``video/`` say: one person, no phone. Phone, absence, multiple-person, spoof, mismatch
and camera incidents are therefore false alarms. ``--gamma 2`` and 3 darken the clips; then only "Too
Dark" is correct. Gaze and head incidents are printed too: many of these people do look aside, but
the times are not labelled.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from evaluation.sessions import describe, evaluation_models, run_session
from proctoring.judgement.policy import load_policy
from proctoring.vision.frame import Frame
from proctoring.vision.video_file import read_frames

UNWANTED = (
    "object.phone",
    "face.absent",
    "face.hidden",
    "face.spoof",
    "face.mismatch",
    "person.multiple",
    "person.background",
    "camera.covered",
    "camera.frozen",
    "camera.looped",
    "camera.moved",
    "camera.turned",
)
_SINGLE = ("single_person", "real_person_single", "talking_head")


def main() -> None:
    """Print the incidents of every clean clip, and how many of them are unwanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--object-model", default=None, help="catalogue name of the detector")
    parser.add_argument("--policy", default="exam")
    parser.add_argument("--gamma", type=float, default=1.0, help="darker: 2, 3")
    arguments = parser.parse_args()
    models = evaluation_models(arguments.data, object_model=arguments.object_model)
    policy = load_policy(arguments.policy)
    for capability in models.capabilities:
        print(f"{capability.name}: {capability.model} {capability.reason or 'on'}")
    kinds: Counter[str] = Counter()
    clips, seconds = 0, 0.0
    for path in clean_clips(arguments.data / "video"):
        session = run_session(models, policy, [darkened(path, arguments.gamma)])
        clips += 1
        seconds += session.looks[-1].observation.time if session.looks else 0.0
        kinds.update(change.kind for change in session.incidents)
        marked = [
            ("!! " if change.kind in UNWANTED else "") + describe(change)
            for change in session.incidents
        ]
        print(f"{path.parent.name}/{path.name}: {'; '.join(marked) or 'none'}", flush=True)
    print(f"\n{clips} clips, {seconds:.0f} s; incidents: {dict(kinds) or 'none'}")
    print(f"unwanted: {sum(kinds[kind] for kind in UNWANTED)}")


def darkened(path: Path, gamma: float) -> tuple[str, Iterator[Frame]]:
    """A recording for ``run_session``, darkened by ``gamma``."""
    table = np.asarray(255 * (np.arange(256) / 255) ** gamma, np.uint8)
    return path.name, (Frame(frame.time, table[frame.pixels]) for frame in read_frames(path))


def clean_clips(folder: Path) -> list[Path]:
    """The clips that are labelled as one person and nothing else."""
    clips = []
    for manifest in sorted(folder.glob("*/manifest.json")):
        for name, item in json.loads(manifest.read_text())["items"].items():
            path = manifest.parent / name
            if path.is_file() and any(word in item["label"] for word in _SINGLE):
                clips.append(path)
    return clips


if __name__ == "__main__":
    main()
