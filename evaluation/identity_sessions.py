"""Another person in the candidate's place, by session: ``python -m evaluation.identity_sessions DATA``.

The sessions are made of real webcam images of ``identity/nuaa_pairs.json``, several per person and
day, each shown for a second with a camera's noise. Then the camera is covered for four seconds (or the
image just changes: a cut), and the same person follows, on the same or another day, or another person.
The live pipeline runs at five frames a second under the exam policy. Swaps are sorted from the hardest
on: by the distance between the mean embeddings of the two people.

Printed: sessions of one person with "Different Person Detected" (false alarms), swaps found, and the
time from the first frame of the new face to the alert.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, permutations
from pathlib import Path
from statistics import median

import numpy as np

from evaluation.identity import fit_look
from evaluation.sessions import evaluation_models
from proctoring.incidents import IncidentState
from proctoring.judgement.policy import load_policy
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.identity.embedding import Embedding, distance, mean_embedding
from proctoring.vision.networks import VisionModels

RATE = 5
_BEFORE, _COVERED, _AFTER = 8, 4, 18
"""Seconds; long enough for a regular verification and the repeated ones that follow a mismatch."""
_FEWEST = 3
"""Least number of images per person and day."""

Day = tuple[str, str]
"""Person and day."""


@dataclass(frozen=True)
class Staged:
    """One session: the person before and after the change."""

    kind: str
    before: Sequence[Pixels]
    after: Sequence[Pixels]
    covered: int
    """Seconds in between."""


def main() -> None:
    """Print the rows of ``docs/accuracy.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--hardest", type=int, default=1000, help="number of swaps, hardest first")
    parser.add_argument("--only", default="", help="only kinds of session whose name contains this")
    arguments = parser.parse_args()
    models = replace(evaluation_models(arguments.data, object_model="none"), liveness=None)
    days = pictures(models, arguments.data)
    print(f"{len(days)} days of {len({person for person, _ in days})} people", flush=True)
    found: dict[str, list[float | None]] = defaultdict(list)
    for staged in sessions(days, arguments.hardest):
        if arguments.only not in staged.kind:
            continue
        found[staged.kind].append(alert(models, staged))
        times = [time for time in found[staged.kind] if time is not None]
        latest = found[staged.kind][-1]
        told = "nothing" if latest is None else f"{latest:.1f} s"
        print(f"{staged.kind}: {told} ({len(times)} of {len(found[staged.kind])})", flush=True)
    print()
    for kind, alerts in found.items():
        times = sorted(time for time in alerts if time is not None)
        when = (
            f", after {median(times):.1f} s at the median, {times[-1]:.1f} s at most"
            if times
            else ""
        )
        print(f"{kind}: Different Person Detected in {len(times)} of {len(alerts)} sessions{when}")


@dataclass(frozen=True, eq=False)
class Shown:
    """One person on one day."""

    pictures: Sequence[Pixels]
    mean: Embedding


def pictures(models: VisionModels, data: Path) -> dict[Day, Shown]:
    """The usable images of every person and day."""
    pairs = json.loads((data / "identity/nuaa_pairs.json").read_text())
    names = {name for kind in ("same", "different") for pair in pairs[kind] for name in pair}
    looks: dict[Day, list[tuple[Pixels, Embedding]]] = defaultdict(list)
    for name in sorted(names):
        path = data / "spoof/nuaa" / name
        embedding = fit_look(models, path)
        if embedding is not None:
            # ClientRaw/PERSON/PERSON_x_x_DAY_n.jpg
            parts = path.stem.split("_")
            looks[parts[0], parts[3]].append((decode_jpeg(path.read_bytes()), embedding))
    return {
        day: Shown([look for look, _ in found], mean_embedding(tuple(one for _, one in found)))
        for day, found in looks.items()
        if len(found) >= _FEWEST
    }


def sessions(days: dict[Day, Shown], hardest: int) -> Iterator[Staged]:
    """Sessions of the same person, on one day and on two, then swaps behind a cover and by a cut."""
    for shown in days.values():
        yield Staged("one person, one day", shown.pictures, shown.pictures[::-1], _COVERED)
    for one, other in permutations(days, 2):
        if one[0] == other[0]:
            after = days[other].pictures
            yield Staged("one person, another day", days[one].pictures, after, _COVERED)
    swaps = [(days[one], days[other]) for one, other in combinations(days, 2) if one[0] != other[0]]
    swaps.sort(key=lambda pair: distance(pair[0].mean, pair[1].mean))
    for before, then in swaps[:hardest]:
        apart = distance(before.mean, then.mean)
        print(f"{apart:.2f} apart, of {len(swaps)} swaps:", flush=True)
        yield Staged("swap behind a cover", before.pictures, then.pictures, _COVERED)
        yield Staged("swap by a cut", before.pictures, then.pictures, 0)


def alert(models: VisionModels, staged: Staged) -> float | None:
    """Seconds from the first frame after the change to the alert; ``None``: no alert."""
    generator = np.random.default_rng(0)
    pipeline = Pipeline(load_policy("exam"), VisionAnalyser(models))
    changed = _BEFORE + staged.covered
    dark = np.full_like(staged.before[0], 12)
    for number in range((changed + _AFTER) * RATE):
        time = number / RATE
        if time < _BEFORE:
            source = staged.before[int(time) % len(staged.before)]
        elif time < changed:
            source = dark
        else:
            source = staged.after[int(time - changed) % len(staged.after)]
        noisy = np.clip(source + generator.normal(0, 1.5, source.shape), 0, 255)
        _, changes = pipeline.analyse(Frame(time, np.asarray(noisy, np.uint8)))
        for change in changes:
            if change.kind == "face.mismatch" and change.state is IncidentState.STARTED:
                return time - changed
    return None


if __name__ == "__main__":
    main()
