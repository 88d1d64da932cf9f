"""A session that another pipeline continues from a snapshot: as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from evaluation.gating.variants import Sender, Variant

from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import shipped_policy
from proctoring.observations import FrameObservation
from proctoring.session.pipeline import JudgementSnapshot, Pipeline, PipelineSnapshot
from proctoring.snapshots import decode, encode
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels

from ..attributes import differences
from ..remembered import remembered
from ..vision.gated import eyes_moved, portrait
from .test_gating import staged_detector, with_phone

DERIVED = frozenset({"FaceComparison._picture"})
"""Made of other attributes when it is needed."""

Clip = Sequence[tuple[float, bytes]]
"""Media times and JPEGs."""


@dataclass
class Seen:
    """What one session, of whatever pipelines, has seen and told."""

    observations: list[FrameObservation] = field(default_factory=list)
    changes: list[IncidentChange] = field(default_factory=list)


def watch(pipeline: Pipeline, clip: Iterable[tuple[float, bytes]], seen: Seen) -> None:
    """Analyse and judge the clip."""
    for time, data in clip:
        analysis, changes = pipeline.analyse(Frame(time, read_jpeg(data)))
        seen.observations.append(analysis.observation)
        seen.changes += changes


def new(models: VisionModels) -> Pipeline:
    """The pipeline of a new session."""
    return Pipeline(shipped_policy("exam"), VisionAnalyser(models), seed="known")


def continued(models: VisionModels, snapshot: PipelineSnapshot) -> Pipeline:
    """A pipeline made of a snapshot that another process could have written."""
    kept = decode(encode(snapshot), PipelineSnapshot)
    analyser = VisionAnalyser(models, kept=kept.vision)
    return Pipeline(shipped_policy("exam"), analyser, kept=kept.judgement)


@dataclass(frozen=True)
class Sitting:
    """A clip, the networks that have seen it, and what a session without a break makes of it."""

    models: VisionModels
    clip: Clip
    seen: Seen
    ended: JudgementSnapshot


def sitting(models: VisionModels, clip: Clip) -> Sitting:
    """Run the session without a break."""
    models, seen = remembered(models), Seen()
    pipeline = new(models)
    watch(pipeline, clip, seen)
    return Sitting(models, clip, seen, pipeline.judgement())


def check_continued(whole: Sitting, places: Iterable[int]) -> None:
    """Continue the session in another pipeline before each of these frames; nothing may differ."""
    pipeline, seen, at = new(whole.models), Seen(), 0
    for place in sorted(places):
        watch(pipeline, whole.clip[at:place], seen)
        before, pipeline, at = pipeline, continued(whole.models, pipeline.snapshot()), place
        lacking = list(differences(before, pipeline, DERIVED))
        assert lacking == [], f"a snapshot before frame {place} lacks something"
    watch(pipeline, whole.clip[at:], seen)
    assert list(differences(whole.seen, seen)) == []
    assert list(differences(whole.ended, pipeline.judgement())) == []


# Media that the test makes itself.


def filmed(pictures: Iterable[tuple[float, Pixels]]) -> Clip:
    """The pictures as a client sends them, with a camera's noise."""
    sender = Sender(Variant(2, 90))
    return [(time, sender.encode(picture)) for time, picture in pictures]


@pytest.fixture(scope="module")
def models(vision_models: VisionModels) -> VisionModels:
    """The real networks, and a detector of phones whose answer is known."""
    return replace(vision_models, objects=staged_detector)


@pytest.fixture(scope="module")
def short(models: VisionModels) -> Sitting:
    """Half a minute, three frames a second at first: a reference, a look aside, a phone, nobody."""
    face = portrait()
    aside, phone, nobody = (
        eyes_moved(face, (5.0, 0.0)),
        with_phone(face, 90),
        np.full_like(face, 90),
    )
    pictures = [(n / 3, face) for n in range(17)]
    pictures += [(5.7 + n / 10, aside) for n in range(6)]
    pictures += [(6.5 + n / 2, phone) for n in range(4)]
    pictures += [(9 + n, nobody) for n in range(4)]
    pictures += [(14 + n / 5, face) for n in range(6)]
    return sitting(models, filmed(pictures))


def drawn(clip: Clip, seed: int, count: int) -> list[int]:
    """Frames before which a session is continued."""
    places = np.random.default_rng(seed).choice(len(clip) - 1, count, replace=False) + 1
    return [int(place) for place in places]


@pytest.mark.parametrize("seed", range(2))
def test_a_session_that_is_continued_anywhere_goes_on_as_if_nothing_had_happened(
    short: Sitting, seed: int
) -> None:
    check_continued(short, drawn(short.clip, seed, 6))


def test_the_clip_holds_what_it_should(short: Sitting) -> None:
    kinds = {change.kind for change in short.seen.changes}
    assert {"object.phone", "camera.covered"} <= kinds
    assert any(one.identity is not None for one in short.seen.observations)
