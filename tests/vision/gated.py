"""Staged pictures through one session's analyser, with what ran in each frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from evaluation.gating.counted import counted
from evaluation.gating.variants import Sender, Variant

from proctoring.observations import Attention, FrameObservation
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels

from .conftest import photograph, warp
from .moving import pushed

RATE = 10
FACE = (320.0, 178.0)
"""The middle of the face of ``portrait``, 137 pixels wide."""
_EYES = ((287.2, 143.9), (351.3, 146.8))
_EYE_REACH = 13.0

PictureAt = Callable[[float], Pixels]
"""Media time to the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """One frame."""

    time: float
    observation: FrameObservation
    ran: Counter[str]
    """Runs of each network in this frame, by the names of ``evaluation.gating.counted.STAGES``."""


def watch(
    models: VisionModels,
    picture_at: PictureAt,
    seconds: float,
    *,
    gated: bool = True,
    variant: Variant = Variant(2, 90),  # noqa: B008  # frozen
) -> list[Seen]:
    """Ten pictures a second, each with a camera's noise and as a JPEG."""
    runs: Counter[str] = Counter()
    analyser, sender = VisionAnalyser(counted(models, runs), gated=gated), Sender(variant)
    analyser.attention = Attention.USUAL  # nothing is suspected
    seen = []
    for n in range(round(seconds * RATE)):
        before = runs.copy()
        frame = Frame(n / RATE, read_jpeg(sender.encode(picture_at(n / RATE))))
        observation = analyser.analyse(frame).observation
        seen.append(Seen(n / RATE, observation, runs - before))
    return seen


def portrait() -> Pixels:
    """(480, 640, 3) a public-domain photograph of one person, close enough for her gaze to be read."""
    return warp(photograph("astronaut"), shift=(110.0, 120.0), scale=1.5)


def eyes_moved(picture: Pixels, shift: tuple[float, float]) -> Pixels:
    """``portrait`` with both irises moved by so many pixels: 4 are some 15 degrees."""
    for eye in _EYES:
        picture = pushed(picture, eye, _EYE_REACH, shift)
    return picture


def per_second(seen: list[Seen], name: str, since: float) -> float:
    """How often a network ran a second, from media time ``since`` on."""
    later = [one for one in seen if one.time >= since]
    return sum(one.ran[name] for one in later) * RATE / len(later)
