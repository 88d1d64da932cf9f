"""Living people in all kinds of light: ``python -m evaluation.light DATA``.

Each recording of a living person is played again and again as one session, in each light, through
VisionAnalyser and the exam policy. "Face Spoofing Detected" and "No Movement in Face" are false
accusations. That the recording repeats is left out of account: here it is a way to play it for longer.
The light is made from the recording, as a lamp, a camera or a network changes it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import simplejpeg

from evaluation.sessions import evaluation_models
from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement.judge import judge
from proctoring.judgement.policy import Policy, load_policy
from proctoring.judgement.state import initial_state
from proctoring.observations import Liveness
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames

PEOPLE = (
    *(f"video/liveportrait/{name}.mp4" for name in ("d0", "d3", "d6", "d9", "d12")),
    *(f"webcam/{name}.mp4" for name in ("c07", "c11", "c12", "c26", "c44")),
)
"""One recording each of ten people whose faces are large enough."""
ACCUSATIONS = ("face.spoof", "face.motionless")
_GAP = 0.04
"""Seconds between the end of a recording and its next beginning."""
_PERIOD = 0.2
"""Seconds between two analysed frames: as of a client that sends five a second."""


def gain(factor: float, offset: float = 0.0) -> Callable[[Pixels], Pixels]:
    """Strong light: each level times a factor, plus an offset; what exceeds 255 is overexposed."""
    table = np.asarray(np.clip(np.arange(256) * factor + offset, 0, 255), np.uint8)
    return lambda picture: table[picture]


def dim(gamma: float) -> Callable[[Pixels], Pixels]:
    """A dim room."""
    table = np.asarray(255 * (np.arange(256) / 255) ** gamma, np.uint8)
    return lambda picture: table[picture]


def one_channel(picture: Pixels) -> Pixels:
    """A JPEG of one channel, as some cameras and clients send."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return decode_jpeg(simplejpeg.encode_jpeg(grey, quality=80, colorspace="GRAY"))


def compressed(quality: int) -> Callable[[Pixels], Pixels]:
    """A JPEG of low quality."""
    return lambda picture: decode_jpeg(
        simplejpeg.encode_jpeg(np.ascontiguousarray(picture), quality=quality)
    )


def backlight(picture: Pixels) -> Pixels:
    """A window behind the person at one side; the camera darkens the face, and its light veils it."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = np.hypot(x / width - 0.15, y / height - 0.15)
    glow = np.clip(1 - distance / 0.8, 0, 1)[..., None]
    return np.asarray(np.clip(picture * 0.35 + 25 + 230 * glow, 0, 255), np.uint8)


def warm(picture: Pixels) -> Pixels:
    """A lamp of warm light, without white balance."""
    return np.asarray(np.clip(picture * np.array([1.35, 1.0, 0.55]), 0, 255), np.uint8)


LIGHTS: dict[str, Callable[[Pixels], Pixels]] = {
    "as recorded": lambda picture: picture,
    "gain 1.4": gain(1.4),
    "gain 1.6 plus 10": gain(1.6, 10),
    "gain 1.9 plus 25": gain(1.9, 25),
    "gamma 2.5": dim(2.5),
    "one channel": one_channel,
    "backlight": backlight,
    "warm lamp": warm,
    "JPEG quality 10": compressed(10),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one person in one light."""

    accusations: tuple[IncidentChange, ...]
    lives: tuple[Liveness, ...]
    unread: tuple[str, ...]
    """Why liveness was not read, once a reading."""


def main() -> None:
    """Print one line for each person and light, and the table of ``docs/accuracy.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=16.0, help="length of each session")
    parser.add_argument("--lights", default=",".join(LIGHTS))
    parser.add_argument("--people", default=",".join(PEOPLE))
    chosen = parser.parse_args()
    models, policy = light_models(chosen.data), load_policy("exam")
    people = chosen.people.split(",")
    rows = []
    for name in chosen.lights.split(","):
        found = []
        for person in people:
            found.append(
                run(models, policy, chosen.data / person, LIGHTS[name], seconds=chosen.seconds)
            )
            print(f"{name}: {Path(person).name}: {describe([found[-1]])}", flush=True)
        rows.append(f"| {name} | {describe(found)} |")
    print("\n" + "\n".join(rows))


def light_models(data: Path) -> VisionModels:
    """What judges a face alone: no objects, no identity."""
    return replace(evaluation_models(data), objects=None, identity=None)


def run(
    models: VisionModels,
    policy: Policy,
    path: Path,
    light: Callable[[Pixels], Pixels],
    *,
    seconds: float,
) -> Outcome:
    """Play one recording again and again in one light."""
    analyser, state = VisionAnalyser(models), initial_state()
    lives: list[Liveness] = []
    unread: list[str] = []
    accusations: list[IncidentChange] = []
    due = 0.0
    for frame in repeated(path, seconds):
        if frame.time < due:
            continue
        due += _PERIOD
        seen = analyser.analyse(Frame(frame.time, light(frame.pixels))).observation
        lives += [seen.liveness] if seen.liveness else []
        unread += [item.reason for item in seen.not_read if item.what == "liveness"]
        state, changes = judge(policy, state, replace(seen, stream=None))
        accusations += [
            change
            for change in changes
            if change.kind in ACCUSATIONS and change.state is IncidentState.STARTED
        ]
    return Outcome(tuple(accusations), tuple(lives), tuple(unread))


def repeated(path: Path, seconds: float) -> Iterator[Frame]:
    """The frames of a recording, from its beginning again whenever it ends."""
    began = time = 0.0
    while True:
        for frame in read_frames(path):
            time = began + frame.time
            if time > seconds:
                return
            yield Frame(time, frame.pixels)
        if time <= began:
            raise ValueError(f"{path} has no second frame")
        began = time + _GAP


def describe(found: Sequence[Outcome]) -> str:
    """Sessions, accusations, share of scored looks and the lowest measurements."""
    lives = [life for outcome in found for life in outcome.lives]
    scores = [life.score for life in lives if life.score is not None]
    flat = [life.parallax for life in lives if life.parallax is not None]
    unread = [reason for outcome in found for reason in outcome.unread]
    accused = [
        f"{change.label} at {change.started_at:.0f} s ({change.reason})"
        for outcome in found
        for change in outcome.accusations
    ]
    looks = sum(life.samples > 0 for life in lives) + len(unread)
    reasons = ", ".join(f"{unread.count(r)} {r}" for r in sorted(set(unread)))
    return " | ".join(
        (
            f"{len(accused)} of {len(found)} {'; '.join(accused)}".strip(),
            f"{len(unread)} of {looks} not read" + (f" ({reasons})" if reasons else ""),
            f"lowest score {min(scores):.2f}" if scores else "no score",
            f"lowest parallax {min(flat):.4f}" if flat else "no parallax",
        )
    )


if __name__ == "__main__":
    main()
