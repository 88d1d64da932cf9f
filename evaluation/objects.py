"""Phones and persons, per detector, on labelled images.

Run: ``uv run python -m evaluation.objects DATA [--detector NAME ...]``

An image is an *alarm* when the detector reports a phone at its own threshold: one detection per image,
no voting over time. The shipped thresholds were chosen on these same images, so the figures do not
predict accuracy on others.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from proctoring.errors import ModelUnavailableError
from proctoring.models.imported import import_detector
from proctoring.models.runtime import load_network
from proctoring.models.store import ModelStore
from proctoring.observations import Box, ObjectDetections
from proctoring.settings import Settings
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.face_detection import detect_faces
from proctoring.vision.frame import Pixels
from proctoring.vision.objects import ObjectDetector, load_object_detector

CATALOGUE_DETECTORS = ("ssd_mobilenet_v2", "picodet_s", "yolox_nano")
YOLO11 = "yolo11n"
LOWEST = 0.1
"""Detections are kept from this score on, so that other thresholds can be shown too."""
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
PERSON_THRESHOLDS = (0.3, 0.4, 0.5, 0.6)
ACCOMPANIED = {"bird.mkv", "please.mkv"}
"""Clips labelled as one person that show a second one at the right edge (checked by eye)."""


@dataclass(frozen=True)
class Picture:
    """One labelled image and its labels."""

    path: Path
    traits: frozenset[str]


@dataclass(frozen=True)
class Seen:
    """The labels of one image and one detector's result, down to ``LOWEST``."""

    traits: frozenset[str]
    look: ObjectDetections
    faces: int

    def persons(self, score: float) -> int:
        """How many persons are reported at this threshold."""
        return sum(person.score >= score for person in self.look.persons)

    def alarms(self, score: float) -> bool:
        """Whether a phone is reported at this threshold."""
        return any(phone.score >= score for phone in self.look.phones)


def labelled(folder: Path) -> list[dict[str, Any]]:
    """The items of a data set's manifest, with their names."""
    items = json.loads((folder / "manifest.json").read_text())["items"]
    return [{"name": name, **item} for name, item in sorted(items.items())]


def walletphone(data: Path) -> Iterator[Picture]:
    """One man holding up a phone, a wallet or an earbud case; independent frames only."""
    folder = data / "phone" / "walletphone"
    for item in labelled(folder):
        if item["first_of_frame"]:
            yield Picture(folder / item["name"], frozenset(o["cls"] for o in item["objects"]))


def mixed(data: Path) -> Iterator[Picture]:
    """Phones and confusables of many kinds; ``person:`` groups are frames of webcam-like clips."""
    folder = data / "phone" / "mixed_dev"
    for item in labelled(folder):
        traits = {item["label"], item["kind"]}
        if item["label"] == "phone" and item["group"].startswith("person:"):
            traits.add("webcam-like phone")
        yield Picture(folder / "images" / item["name"], frozenset(traits))


def groups(data: Path) -> Iterator[Picture]:
    """Groups of persons, and one image without any."""
    folder = data / "persons" / "groups"
    for item in labelled(folder):
        yield Picture(folder / item["name"], frozenset({item["label"]}))


def gestures(data: Path) -> Iterator[tuple[Pixels, frozenset[str]]]:
    """One frame a second of clips of people signing with bare hands."""
    folder = data / "video" / "intel"
    for item in labelled(folder):
        if item["label"] == "single_person_hand_gestures_no_phone":
            with av.open(str(folder / item["name"])) as clip:
                due = 0.0
                for frame in clip.decode(video=0):
                    if frame.time is not None and frame.time >= due:
                        due += 1.0
                        pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                        company = "two" if item["name"] in ACCOMPANIED else "alone"
                        yield pixels, frozenset({"hands", company})


def load_detectors(store: ModelStore, names: Iterable[str], mirror: Path) -> list[ObjectDetector]:
    """The available detectors; the others are printed with the reason."""
    detectors = []
    for name in names:
        try:
            if name == YOLO11:
                with tempfile.TemporaryDirectory(prefix="proctoring-evaluation-") as folder:
                    import_detector(Path(folder), mirror / "yolo11n_int8_openvino_model", name)
                    detectors.append(load_object_detector(ModelStore(Path(folder)), name))
            else:
                detectors.append(load_object_detector(store, name))
        except ModelUnavailableError as error:
            print(f"left out: {error.detail}\n")
    return detectors


def lowered(detector: ObjectDetector) -> ObjectDetector:
    """The same detector, reporting down to ``LOWEST``. Dropping detections below a threshold gives
    its result at that threshold, since suppression keeps the best boxes first."""
    return replace(detector, phone_score=LOWEST, person_score=LOWEST)


def look_at(
    pictures: Iterable[Picture], detector: ObjectDetector, count_faces: Callable[[Pixels], int]
) -> list[Seen]:
    """The detector's result for every image."""
    seen = []
    for picture in pictures:
        pixels = decode_jpeg(picture.path.read_bytes())
        seen.append(Seen(picture.traits, detector.detect(pixels), count_faces(pixels)))
    return seen


def share(seen: list[Seen], trait: str, score: float) -> str:
    """Alarms among the images with a label, as count, total and share."""
    alarms = [one.alarms(score) for one in seen if trait in one.traits]
    return f"{sum(alarms)}/{len(alarms)} ({sum(alarms) / max(1, len(alarms)):.2f})"


def near(a: Box, b: Box) -> bool:
    """Whether two boxes may show the same object."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared > 0.3 * min(a.width * a.height, b.width * b.height)


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """A table in Markdown."""
    for row in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(row) + " |")
    print()


def phone_row(
    held: list[Seen], mixed_seen: list[Seen], hands: list[Seen], score: float
) -> list[str]:
    """The columns of the table of phones."""
    return [
        share(held, "phone", score),
        share(held, "wallet", score),
        share(held, "airpods", score),
        share(mixed_seen, "phone", score),
        share(mixed_seen, "webcam-like phone", score),
        share(mixed_seen, "no_phone", score),
        share(mixed_seen, "keys", score),
        share(hands, "hands", score),
    ]


def both(first: list[Seen], second: list[Seen], scores: tuple[float, float]) -> list[Seen]:
    """A vote: phones of the first network that the second detects there too, at their thresholds."""
    voted = []
    for one, other in zip(first, second, strict=True):
        phones = tuple(
            replace(phone, score=1.0)
            for phone in one.look.phones
            if phone.score >= scores[0]
            and any(
                near(phone.box, also.box) and also.score >= scores[1] for also in other.look.phones
            )
        )
        voted.append(replace(one, look=replace(one.look, phones=phones)))
    return voted


def main() -> None:
    """Print the tables of ``docs/accuracy.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--detector", action="append", help="only these")
    parser.add_argument("--persons", action="store_true", help="only the table of persons")
    chosen = parser.parse_args()
    mirror = chosen.data.parent / "models"
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror or mirror)
    face_network = load_network(
        store.fetch("face_detection_full_range"), outputs=("Identity", "Identity_1")
    )
    detectors = load_detectors(store, chosen.detector or (*CATALOGUE_DETECTORS, YOLO11), mirror)

    def faces(pixels: Pixels) -> int:
        return len(detect_faces(face_network, pixels))

    def no_faces(_: Pixels) -> int:
        return 0

    phone_rows: list[list[str]] = []
    sweep_rows: list[list[str]] = []
    person_rows: list[list[str]] = []
    all_seen: dict[str, tuple[list[Seen], list[Seen], list[Seen]]] = {}
    for detector in detectors:
        low = lowered(detector)
        held = look_at(walletphone(chosen.data), low, no_faces)
        others = [] if chosen.persons else look_at(mixed(chosen.data), low, no_faces)
        hands = [Seen(traits, low.detect(p), 0) for p, traits in gestures(chosen.data)]
        all_seen[detector.name] = (held, others, hands)
        phone_rows.append(
            [
                f"{detector.name}, {detector.phone_score:g}",
                *phone_row(held, others, hands, detector.phone_score),
            ]
        )
        sweep_rows.extend(
            [f"{detector.name}, {score:g}", *phone_row(held, others, hands, score)]
            for score in THRESHOLDS
        )
        crowds = look_at(groups(chosen.data), low, faces)
        print(f"{detector.name}: done", file=sys.stderr, flush=True)
        person_rows.extend(
            [f"{detector.name}, {score:g}", *person_row(crowds, held, hands, score)]
            for score in PERSON_THRESHOLDS
        )

    header = ["detector, threshold", "phones", "wallet alarms", "case alarms", "mixed: phones"]
    header += ["mixed: webcam-like phones", "mixed: alarms without phones", "mixed: keys"]
    header += ["bare hands"]
    if {"ssd_mobilenet_v2", "picodet_s"} <= all_seen.keys():
        scores = {d.name: d.phone_score for d in detectors}
        pair = (scores["ssd_mobilenet_v2"], scores["picodet_s"])
        held, others, hands = (
            both(first, second, pair)
            for first, second in zip(
                all_seen["ssd_mobilenet_v2"], all_seen["picodet_s"], strict=True
            )
        )
        voted = phone_row(held, others, hands, 1.0)
        phone_rows.append(["both ssd_mobilenet_v2 and picodet_s", *voted])
    print("## Phones: alarms, at each detector's threshold\n")
    print_table(header, phone_rows)
    print("## Phones, at other thresholds\n")
    print_table(header, sweep_rows)
    print("## Persons: images counted correctly\n")
    print_table(
        [
            "detector, threshold",
            "groups: two or more, or none (detector)",
            "(faces)",
            "(the greater of both)",
            "one man holding something: none, one, more",
            "one person signing: none, one, more",
            "one signing, one at the edge: none, one, more",
        ],
        person_rows,
    )


def person_row(crowds: list[Seen], held: list[Seen], hands: list[Seen], score: float) -> list[str]:
    """The columns of the table of persons."""

    def right(count: Callable[[Seen], int]) -> str:
        hits = [count(one) == 0 if "no_person" in one.traits else count(one) >= 2 for one in crowds]
        return f"{sum(hits)}/{len(hits)}"

    def counts(seen: list[Seen], trait: str = "") -> str:
        found = [one.persons(score) for one in seen if not trait or trait in one.traits]
        return f"{found.count(0)}, {found.count(1)}, {sum(count > 1 for count in found)}"

    return [
        right(lambda one: one.persons(score)),
        right(lambda one: one.faces),
        right(lambda one: max(one.persons(score), one.faces)),
        counts(held),
        counts(hands, "alone"),
        counts(hands, "two"),
    ]


if __name__ == "__main__":
    main()
