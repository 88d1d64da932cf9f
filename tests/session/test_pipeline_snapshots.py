"""A session that another pipeline continues from a snapshot: as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from evaluation.gating.variants import Sender, Variant
from evaluation.sessions import evaluation_models

from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import shipped_policy
from proctoring.observations import FrameObservation
from proctoring.session.pipeline import JudgementSnapshot, Pipeline, PipelineSnapshot
from proctoring.snapshots import decode, encode
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames

from ..attributes import differences
from ..remembered import remembered
from ..vision.gated import eyes_moved, portrait
from ..vision.moving import reshaped
from .test_gating import staged_detector, with_phone

DERIVED = frozenset({"FaceComparison._picture"})
"""Made of other attributes when it is needed."""

RECORDINGS = ("c01.mp4", "c05.mov", "c49.mp4", "c59.mp4")
"""Of ``webcam``, 25 seconds each at most: a man who reads, one who leaves, looks aside, a phone."""

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


def lacking(pipeline: Pipeline, restored: Pipeline) -> list[str]:
    """The attributes, down to the innermost, that are not as they were."""
    return list(differences(pipeline, restored, DERIVED))


def check_continued(whole: Sitting, places: Iterable[int]) -> None:
    """Continue the session in another pipeline before each of these frames; nothing may differ."""
    pipeline, seen, at = new(whole.models), Seen(), 0
    for place in sorted(places):
        watch(pipeline, whole.clip[at:place], seen)
        before, pipeline, at = pipeline, continued(whole.models, pipeline.snapshot()), place
        assert lacking(before, pipeline) == [], f"not in a snapshot before frame {place}"
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
    pictures += [(9.0 + n, nobody) for n in range(4)]
    pictures += [(14.0 + n / 5, face) for n in range(6)]
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


# Everything that can happen, and recordings of people.


def eventful(face: Pixels) -> Clip:
    """A minute in which all that is remembered is needed: other faces and persons, phones, glances, a lens that
    is covered, a camera that is moved and turned, a picture that stands still, a loop."""
    room = face.copy()
    room[:, :90] = np.linspace(20, 230, 90, dtype=np.uint8)[None, :, None]
    other = cv2.resize(reshaped(face, (320.0, 178.0)), (160, 120))
    visited = room.copy()
    visited[60:180, 470:630] = other
    alone = np.full_like(room, 110)
    alone[:, :90] = room[:, :90]
    alone[60:180, 470:630] = other
    stages: list[tuple[float, float, tuple[Pixels, ...]]] = [
        # until, frames a second, pictures in turn
        (7.0, 8, (room, np.roll(room, 1, axis=1), np.roll(room, 2, axis=1))),
        (9.0, 8, (room, eyes_moved(room, (5.0, 0.0)))),
        (13.0, 4, (visited,)),
        (16.0, 4, (with_phone(room, 90),)),
        (18.0, 4, (np.zeros_like(room),)),
        (22.0, 5, (reshaped(room, (320.0, 178.0)),)),
        (28.0, 3, (np.ascontiguousarray(np.roll(room, 60, axis=0)[:, ::-1]),)),
        (33.0, 3, (np.ascontiguousarray(room[::-1, ::-1]),)),
        (37.0, 4, (visited,)),
        (43.0, 3, (alone,)),
        (46.0, 4, (room,)),
    ]
    pictures, time = list[tuple[float, Pixels]](), 0.0
    for until, rate, shown in stages:
        for n in range(round((until - time) * rate)):
            pictures.append((time + n / rate, shown[n % len(shown)]))
        time = until
    clip = list(filmed(pictures))
    still = clip[-1][1]
    clip += [(46.0 + n / 5, still) for n in range(10)]
    loop = [data for _, data in clip[40:60]]
    clip += [(48.0 + n / 10, loop[n % len(loop)]) for n in range(60)]
    return clip


@pytest.fixture(scope="module")
def long(models: VisionModels) -> Sitting:
    return sitting(models, eventful(portrait()))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whatever_changes_in_a_session_is_kept(long: Sitting) -> None:
    """Whatever somebody adds must be kept."""
    pipeline, seen = new(long.models), Seen()
    for place, frame in enumerate(long.clip):
        watch(pipeline, [frame], seen)
        if place % 4 == 0:
            restored = continued(long.models, pipeline.snapshot())
            assert lacking(pipeline, restored) == [], f"not in a snapshot after frame {place}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(4))
def test_a_minute_of_everything_goes_on_wherever_it_is_continued(long: Sitting, seed: int) -> None:
    check_continued(long, drawn(long.clip, seed, 12))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_goes_on_wherever_it_is_continued(shared_data: Path, name: str) -> None:
    frames = (frame for frame in read_frames(shared_data / "webcam" / name) if frame.time < 25)
    sender, due, clip = Sender(Variant(0, 85)), 0.0, list[tuple[float, bytes]]()
    for frame in frames:
        if frame.time >= due:
            clip.append((frame.time, sender.encode(frame.pixels)))
            due = frame.time + 0.09
    whole = sitting(evaluation_models(shared_data), clip)
    check_continued(whole, drawn(clip, 1, 8))
