"""Phones verified by a second network: per detection, and per sitting of several detections.

Run: ``uv run python -m evaluation.cascade DATA [--every N]``

*Per detection*: share of labelled images with an alarm. *Per sitting*: images of one kind in the
order in which they were taken, cut into sittings of six detections half a second apart and judged
under the shipped policies; share of sittings with a "Mobile Phone Detected". The images are stills
of single recordings, not video: neighbours are alike, but have no capture times.

The score that triggers verification and the size of its crop were chosen on ``walletphone``;
``mixed_dev`` was not used for the choice.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.objects import labelled, print_table
from proctoring.judgement import Policy, initial_state, judge, shipped_policy
from proctoring.models.store import ModelStore
from proctoring.observations import FrameObservation, ObjectDetections
from proctoring.settings import Settings
from proctoring.vision.cascade import CASCADES, SUSPECT_SCORE, DetectorCascade
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.objects import load_object_detector
from proctoring.vision.steps import run_to_completion

LOOKS, APART = 6, 0.5
FIRST, SECOND = CASCADES["ssd_mobilenet_v2+picodet_s"]


@dataclass(frozen=True)
class Looked:
    """What each method detected in one image."""

    alone: ObjectDetections
    second: ObjectDetections
    closer: ObjectDetections


def recordings(data: Path, every: int) -> Iterator[tuple[str, Path]]:
    """Kind and path of each image, in the order in which they were taken."""
    folder = data / "phone" / "walletphone"
    held = [item for item in labelled(folder) if item["first_of_frame"]]
    held.sort(key=lambda item: int(re.sub(r"\D", "", item["source_frame"])))
    for item in held[::every]:
        kind = item["objects"][0]["cls"]
        yield f"walletphone: {'case' if kind == 'airpods' else kind}", folder / item["name"]
    folder = data / "phone" / "mixed_dev"
    clips = [item for item in labelled(folder) if item["group"].startswith("person:")]
    for item in clips[::every]:
        kind = "phone, webcam-like clips" if item["label"] == "phone" else "keys, one man's clip"
        yield f"mixed_dev: {kind}", folder / "images" / item["name"]


def above(look: ObjectDetections, score: float) -> ObjectDetections:
    """The detections that reach a higher threshold."""
    return replace(look, phones=tuple(phone for phone in look.phones if phone.score >= score))


def raises(policy: Policy, looks: list[ObjectDetections]) -> bool:
    """Whether these detections, one after another, start an incident."""
    state, started = initial_state(), False
    for number, look in enumerate(looks):
        seen = FrameObservation(number * APART, 640, 480, None, None, look)
        state, changes = judge(policy, state, seen)
        started |= any(change.kind == "object.phone" for change in changes)
    return started


def share(hits: list[bool]) -> str:
    return f"{sum(hits)}/{len(hits)} ({sum(hits) / max(1, len(hits)):.2f})"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=1, help="use every n-th image")
    chosen = parser.parse_args()
    settings = Settings()
    mirror = settings.models_mirror or chosen.data.parent / "models"
    store = ModelStore(settings.models_folder, mirror)
    first = load_object_detector(store, FIRST)
    second = load_object_detector(store, SECOND)
    pair = DetectorCascade(first, second)
    low = replace(first, phone_score=SUSPECT_SCORE)
    looked: dict[str, list[Looked]] = defaultdict(list)
    for kind, path in recordings(chosen.data, chosen.every):
        pixels = decode_jpeg(path.read_bytes())
        seen = low.detect(pixels)
        closer = run_to_completion(pair.confirm(pixels, seen))
        alone = above(seen, first.phone_score)
        looked[kind].append(Looked(alone, second.detect(pixels), closer))
    ways = {f"{FIRST} alone": "alone", f"{SECOND} alone": "second"}
    ways[f"{FIRST}, verified by {SECOND}"] = "closer"
    print("## Per detection\n")
    print_table(
        ["method", *looked],
        [
            [
                name,
                *(
                    share([bool(getattr(one, way).phones) for one in ones])
                    for ones in looked.values()
                ),
            ]
            for name, way in ways.items()
        ],
    )
    for policy in (shipped_policy("exam"), shipped_policy("lenient")):
        rule = json.loads(policy.incidents["object.phone"].persist.model_dump_json())  # type: ignore[union-attr]
        print(f"## Per sitting: {policy.name}, {rule['hits']} of {rule['of']} detections\n")
        rows = []
        for name, way in ways.items():
            cells = []
            for ones in looked.values():
                looks = [getattr(one, way) for one in ones]
                sittings = [looks[n : n + LOOKS] for n in range(0, len(looks) - LOOKS + 1, LOOKS)]
                cells.append(share([raises(policy, each) for each in sittings]))
            rows.append([name, *cells])
        print_table(["method", *looked], rows)


if __name__ == "__main__":
    main()
