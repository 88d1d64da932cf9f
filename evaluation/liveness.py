"""Presentation attacks and bona fide presentations: ``python -m evaluation.liveness DATA``.

Every row runs the live pipeline (VisionAnalyser and the shipped exam policy), session by session: an
attack is *accepted* (APCER) when it raises no "Face Spoofing Detected", a bona fide presentation is
*refused* (BPCER) when it raises one; ACER is their mean. Three methods: the networks with the motion
cues, the networks without their second opinion, the cues alone.

Sessions: NUAA sequences (40 frames with their own times); NUAA stills as video (with synthetic
movement, on which the motion cues mean nothing); the clean clips of ``video/``, also at gamma 2 and 3;
clips of ``video/`` fed as a still. Loops: ``evaluation.loops``.
"""

from __future__ import annotations

import argparse
import json
import time as clock
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from evaluation.clean_clips import clean_clips
from evaluation.sessions import run_session
from proctoring.judgement.policy import Policy, load_policy
from proctoring.models.runtime import load_network
from proctoring.models.store import ModelStore
from proctoring.settings import Settings
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.liveness.scoring import PASSIVE, LivenessScorer, passive_score
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.video_file import read_frames


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one session."""

    refused: bool
    reason: str
    read: bool
    """Whether liveness was measured at all."""
    score: float | None
    """The networks' last mean."""


def main() -> None:
    """Print the rows of ``docs/accuracy.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--every", type=int, default=4, help="take every n-th NUAA still")
    parser.add_argument("--parts", default="sequences,stills,clips,dark,injected")
    chosen = parser.parse_args()
    settings = Settings()
    mirror = settings.models_mirror or chosen.data.parent / "models"
    store = ModelStore(settings.models_folder, mirror if mirror.is_dir() else None)
    both = replace(load_vision_models(store, object_model=settings.object_model), objects=None)
    judges = {"networks and cues": both}
    if both.liveness is not None:
        judges["without second opinion"] = replace(both, liveness=_first_opinion(store))
    judges["cues alone"] = replace(both, liveness=None)
    policy, parts = load_policy("exam"), chosen.parts.split(",")
    for name, models in judges.items():
        print(f"\n## {name}: {models.liveness.name if models.liveness else 'no network'}")
        if "sequences" in parts:
            _rates("NUAA sequences", models, policy, _sequences(chosen.data))
        if "stills" in parts:
            _rates("NUAA stills as video", models, policy, _stills(chosen.data, chosen.every))
    if "clips" in parts:
        _false_alarms("clean clips", both, policy, chosen.data, 1.0)
    if "dark" in parts:
        for gamma in (2.0, 3.0):
            _false_alarms(f"clean clips at gamma {gamma:.0f}", both, policy, chosen.data, gamma)
    if "injected" in parts:
        _injected(both, policy, chosen.data)


def _first_opinion(store: ModelStore) -> LivenessScorer:
    """The two MiniFASNets without the network that verifies a suspected attack."""
    networks = [(load_network(store.fetch(name)), scale) for name, scale in PASSIVE]

    def live(pixels: Pixels, box: object) -> float:
        return float(np.mean([passive_score(n, pixels, box, s) for n, s in networks]))  # type: ignore[arg-type]

    return LivenessScorer("+".join(name for name, _ in PASSIVE), live)


def _verdict(models: VisionModels, policy: Policy, frames: Iterable[Frame]) -> Verdict:
    session = run_session(models, policy, [("", frames)])
    lives = [look.observation.liveness for look in session.looks if look.observation.liveness]
    spoofs = [change for change in session.incidents if change.kind == "face.spoof"]
    scores = [life.score for life in lives if life.score is not None]
    reason = spoofs[0].reason if spoofs else ""
    return Verdict(bool(spoofs), reason, bool(lives), scores[-1] if scores else None)


def _rates(
    name: str,
    models: VisionModels,
    policy: Policy,
    sessions: Iterable[tuple[str, bool, Iterable[Frame]]],
) -> None:
    """Print APCER, BPCER and ACER over (name, living, frames)."""
    began = clock.perf_counter()
    verdicts = [(live, _verdict(models, policy, frames), what) for what, live, frames in sessions]
    attacks = [verdict for live, verdict, _ in verdicts if not live]
    living = [verdict for live, verdict, _ in verdicts if live]
    accepted = sum(not verdict.refused for verdict in attacks)
    refused = sum(verdict.refused for verdict in living)
    apcer, bpcer = accepted / max(1, len(attacks)), refused / max(1, len(living))
    print(
        f"{name}: APCER {apcer:.3f} ({accepted} of {len(attacks)}), BPCER {bpcer:.3f} "
        f"({refused} of {len(living)}), ACER {(apcer + bpcer) / 2:.3f}; not measured "
        f"{sum(not verdict.read for _, verdict, _ in verdicts)}; "
        f"{clock.perf_counter() - began:.0f} s",
        flush=True,
    )
    for live, verdict, what in verdicts:
        if live == verdict.refused:
            print(f"  wrong: {what} {verdict.score} {verdict.reason}")


def _sequences(data: Path) -> Iterator[tuple[str, bool, Iterable[Frame]]]:
    folder = data / "spoof/nuaa_sequences"
    for name, item in json.loads((folder / "manifest.json").read_text())["items"].items():
        files = sorted((folder / name).glob("*.jpg"))
        first = int(files[0].stem)
        # File names are frame numbers of the webcam's clip, nominally 20 a second.
        frames = (
            Frame((int(file.stem) - first) / 20, decode_jpeg(file.read_bytes())) for file in files
        )
        yield name, item["label"] == "real", frames


def _stills(data: Path, every: int) -> Iterator[tuple[str, bool, Iterable[Frame]]]:
    folder = data / "spoof/nuaa"
    items = json.loads((folder / "manifest.json").read_text())["items"]
    for number, (name, item) in enumerate(islice(items.items(), 0, None, every)):
        picture = decode_jpeg((folder / name).read_bytes())
        yield name, item["label"] == "real", jittered(picture, number)


def jittered(picture: Pixels, seed: int, seconds: float = 8.0) -> Iterator[Frame]:
    """A still as video at five frames a second: with random shifts, changes of size and noise."""
    generator = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    path = generator.normal(0, 1, (3, int(seconds * 5) + 1)).cumsum(axis=1)
    for n, (x, y, size) in enumerate(path.T):
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, 1 + 0.004 * float(size))
        matrix[:, 2] += np.array([1.5 * x, 1.5 * y])
        moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        noise = generator.standard_normal(picture.shape, np.float32) * 1.5
        yield Frame(n / 5, np.asarray(np.clip(moved + noise, 0, 255), np.uint8))


def _false_alarms(
    name: str, models: VisionModels, policy: Policy, data: Path, gamma: float
) -> None:
    """Print false alarms on the darkened clean clips: every spoof incident."""
    table = np.asarray(255 * (np.arange(256) / 255) ** gamma, np.uint8)
    clips = clean_clips(data / "video")
    alarms, read = [], 0
    for path in clips:
        frames = (Frame(frame.time, table[frame.pixels]) for frame in read_frames(path))
        verdict = _verdict(models, policy, frames)
        read += verdict.read
        if verdict.refused:
            alarms.append(f"{path.name} ({verdict.reason})")
    print(
        f"{name}: {len(alarms)} of {len(clips)} raise a spoof {alarms}; measured {read}", flush=True
    )


def _injected(models: VisionModels, policy: Policy, data: Path) -> None:
    """Print incidents of the first frame of recordings of living people, fed as a still."""
    clips = sorted((data / "video/liveportrait").glob("*.mp4"))
    for path in clips:
        first = next(iter(read_frames(path))).pixels
        still = (Frame(n / 10, first) for n in range(200))
        for what, fed in (("still", still), ("still with noise", _noisy(first))):
            verdict = _verdict(models, policy, fed)
            print(f"{path.name} as {what}: {verdict.reason or 'nothing'}", flush=True)


def _noisy(picture: Pixels) -> Iterator[Frame]:
    generator = np.random.default_rng(0)
    for n in range(200):
        noise = generator.standard_normal(picture.shape, np.float32) * 2
        yield Frame(n / 10, np.asarray(np.clip(picture + noise, 0, 255), np.uint8))


if __name__ == "__main__":
    main()
