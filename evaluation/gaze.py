"""Gaze and head pose on labelled recordings: ``python -m evaluation.gaze DATA``.

Runs the server's pipeline: 10 frames per second of media time, the session's own baselines, the exam
policy's limits and persistence. The constants of ``vision/lids.py`` were chosen on these same
recordings, so the figures do not predict accuracy on others.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg

from evaluation.sessions import Session, describe, evaluation_models, recording, run_session
from proctoring.judgement.policy import Policy, load_policy
from proctoring.observations import FrameObservation
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames

Segment = tuple[int, int, str]
"""First and last frame, label."""
STATES = ("left", "right", "up", "down", "level", "shut", "unread", "no face")
WANTED_SIDE = {"image_left": "right", "image_right": "left", "center": "level"}
"""Label (by the side of the image) to the candidate's own side."""


def main() -> None:
    """Print every table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", type=Path)
    data: Path = arguments.parse_args().data
    models, policy = evaluation_models(data, object_model="none"), load_policy("exam")
    sideways(models, policy, data / "gaze" / "eyes_only")
    glances(models, policy, data / "video" / "liveportrait")
    vertical(models, policy, data / "gaze" / "down")
    variants(models, policy, data)
    heads(models, policy, data / "gaze" / "down")


def state(policy: Policy, observation: FrameObservation) -> str:
    """The state of one observation's gaze by the policy's limits."""
    candidate, screen = observation.candidate, policy.screen
    if candidate is None:
        return "no face"
    gaze = candidate.gaze
    if gaze is None:
        return "shut" if candidate.eyes_open is False else "unread"
    if gaze.pitch is not None and gaze.pitch <= -screen.down:
        return "down"
    if gaze.pitch is not None and gaze.pitch >= screen.up:
        return "up"
    if gaze.yaw >= screen.left:
        return "left"
    return "right" if gaze.yaw <= -screen.right else "level"


def label_of(segments: Iterable[Sequence[Any]], index: int) -> str | None:
    """The label of a frame, if it has one."""
    return next((str(label) for first, last, label in segments if first <= index <= last), None)


def table(title: str, counts: dict[str, Counter[str]]) -> None:
    """Print a table with a row per label and a column per state."""
    print(f"\n{title}\n{'':14}" + "".join(f"{name:>9}" for name in STATES))
    for label, row in counts.items():
        print(f"{label:14}" + "".join(f"{row[name]:9d}" for name in STATES))


def count(
    policy: Policy, session: Session, labels: dict[str, list[Segment]]
) -> dict[str, Counter[str]]:
    """Label to states of its frames; frames before the baseline is learned count as unread."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for look in session.looks:
        label = label_of(labels.get(look.recording, ()), look.index)
        if label is not None:
            counts[label][state(policy, look.observation)] += 1
    return counts


def sideways(models: VisionModels, policy: Policy, folder: Path) -> None:
    """Eyes move, the head does not."""
    manifest = json.loads((folder / "manifest.json").read_text())["items"]
    total: dict[str, Counter[str]] = defaultdict(Counter)
    print("eyes_only: incidents")
    false_seconds = centre_seconds = 0.0
    for name, item in manifest.items():
        labels = {name: [tuple(segment) for segment in item["segments"]]}
        session = run_session(models, policy, [recording(folder / name)])
        for label, row in count(policy, session, labels).items():
            total[label].update(row)
            if label == "center":
                centre_seconds += sum(row.values()) / 10
                false_seconds += sum(row[side] for side in ("left", "right", "up", "down")) / 10
        print(f"  {name}: {'; '.join(map(describe, session.incidents)) or 'none'}")
    table("eyes_only: frames (image_left = the candidate's right)", total)
    print(f"false alarm seconds per minute of centre: {60 * false_seconds / centre_seconds:.2f}")


def glances(models: VisionModels, policy: Policy, folder: Path) -> None:
    """Labelled glances of one clip, head and eyes moving."""
    events = json.loads((folder / "manifest.json").read_text())["items"]["d3.mp4"]["gaze_events"]
    session = run_session(models, policy, [("d3.mp4", read_frames(folder / "d3.mp4"))])
    print("\nd3.mp4: labelled glances (sides of the image), states of the frames within 2 of them")
    for first, last, label in events:
        seen = Counter(
            state(policy, look.observation)
            for look in session.looks
            if first - 2 <= look.index <= last + 2
        )
        print(f"  {first}-{last} {label}: {dict(seen)}")
    print(f"  incidents: {'; '.join(map(describe, session.incidents)) or 'none'}")


def vertical(models: VisionModels, policy: Policy, folder: Path) -> None:
    """Down and up, per frame and per episode."""
    total: dict[str, Counter[str]] = defaultdict(Counter)
    found: list[str] = []
    false: list[str] = []
    level_seconds = 0.0
    for name, recordings, labels in _vertical_sessions(folder):
        session = run_session(models, policy, recordings)
        for label, row in count(policy, session, labels).items():
            total[label].update(row)
        level_seconds += _seconds_level(session, labels)
        for change in session.incidents:
            if change.kind in ("gaze.down", "gaze.up"):
                where = _labels_during(session, labels, change.started_at, change.duration)
                line = f"{name}: {describe(change)}, labels there {where}"
                (found if {"down", "cover", "up", "lost"} & set(where) else false).append(line)
    table("gaze/down: frames", total)
    print("\ngaze/down: incidents down or up where it is labelled")
    print("\n".join(f"  {line}" for line in found) or "  none")
    print(f"elsewhere, in {level_seconds:.0f} s of level gaze")
    print("\n".join(f"  {line}" for line in false) or "  none")


def _vertical_sessions(
    folder: Path,
) -> Iterator[tuple[str, list[tuple[str, Iterator[Frame]]], dict[str, list[Segment]]]]:
    """Each clip a session; short ones follow the same person's level clip, as in one sitting."""
    items = json.loads((folder / "manifest.json").read_text())["items"]
    labels = {Path(item["file"]).name: [tuple(s) for s in item["frames"]] for item in items}
    for item in items:
        path = (folder / item["file"]).resolve()
        if path.is_dir():  # Single images, not a recording: no baseline can be learned.
            continue
        recordings = [recording(path)]
        if item["person"] == "onya" and path.name != "onya_center.mp4":
            recordings.insert(0, recording(folder / "onya_center.mp4"))
        own = {path.name: labels[path.name]}
        yield path.name, recordings, own


def _seconds_level(session: Session, labels: dict[str, list[Segment]]) -> float:
    return sum(
        0.1
        for look in session.looks
        if label_of(labels.get(look.recording, ()), look.index) == "level"
    )


def _labels_during(
    session: Session, labels: dict[str, list[Segment]], began: float, duration: float
) -> dict[str, int]:
    during = Counter(
        label_of(labels.get(look.recording, ()), look.index) or "unlabelled"
        for look in session.looks
        if began <= look.observation.time <= began + duration
    )
    return dict(during)


def variants(models: VisionModels, policy: Policy, data: Path) -> None:
    """Two labelled clips under harder conditions."""
    print("\nunder harder conditions: incidents (face as recorded: 285 pixels wide)")
    dark = np.array([round(255 * (level / 255) ** 2.2) for level in range(256)], np.uint8)
    cases: dict[str, tuple[Callable[[Pixels], Pixels], float]] = {
        "as recorded": (lambda pixels: pixels, 10),
        "JPEG of quality 60": (_recompressed, 10),
        "5 frames a second": (lambda pixels: pixels, 5),
        "gamma 2.2": (lambda pixels: dark[pixels], 10),
        "face 110 pixels wide": (partial(_shrunk, scale=110 / 285), 10),
        "face 90 pixels wide": (partial(_shrunk, scale=90 / 285), 10),
    }
    clips = {
        "d3 (down at 2.1-5.3 and 7.1-8.5 s)": data / "video" / "liveportrait" / "d3.mp4",
        "center_left_center (its right at 5.6-10.0 s)": data
        / "gaze"
        / "eyes_only"
        / "center_left_center.mp4",
    }
    for clip, path in clips.items():
        for name, (change, rate) in cases.items():
            frames = (Frame(frame.time, change(frame.pixels)) for frame in read_frames(path))
            session = run_session(models, policy, [(path.name, frames)], rate=rate)
            print(f"  {clip}, {name}: {'; '.join(map(describe, session.incidents)) or 'none'}")


def _recompressed(pixels: Pixels) -> Pixels:
    return decode_jpeg(simplejpeg.encode_jpeg(pixels, quality=60))


def _shrunk(pixels: Pixels, scale: float) -> Pixels:
    """The frame scaled down on a grey background of the same size."""
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    framed = np.full_like(pixels, 128)
    top, left = (pixels.shape[0] - small.shape[0]) // 2, (pixels.shape[1] - small.shape[1]) // 2
    framed[top : top + small.shape[0], left : left + small.shape[1]] = small
    return framed


def heads(models: VisionModels, policy: Policy, folder: Path) -> None:
    """Clips named for the direction in which the head turns, after the same person's level clip."""
    print("\nonya: strongest turn of the head in each clip, degrees (yaw + left, pitch + up)")
    for name in ("center", "left", "right", "up", "down"):
        recordings = [recording(folder / "onya_center.mp4")]
        if name != "center":
            recordings.append(recording(folder / f"onya_{name}.mp4"))
        session = run_session(models, policy, recordings)
        turns = [
            (look.observation.candidate.head.yaw, look.observation.candidate.head.pitch)
            for look in session.looks
            if look.recording == f"onya_{name}.mp4"
            and look.observation.candidate is not None
            and look.observation.candidate.head is not None
        ]
        yaw = max((turn[0] for turn in turns), key=abs, default=0.0)
        pitch = max((turn[1] for turn in turns), key=abs, default=0.0)
        print(f"  {name}: yaw {yaw:+.0f}, pitch {pitch:+.0f}")


if __name__ == "__main__":
    main()
