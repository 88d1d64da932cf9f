"""Phones, and whole recordings: gated sessions find what sessions find that analyse everything."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from evaluation.gating.compare import compare, short_tasks
from evaluation.gating.differences import Difference, What, differences
from evaluation.gating.report import Total
from evaluation.gating.sessions import Result, new_side, run
from evaluation.gating.variants import Variant
from evaluation.sessions import evaluation_models

from proctoring.incidents import IncidentSummary, Severity
from proctoring.judgement.policy import load_policy
from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.steps import Steps

from ..vision.gated import portrait

RATE = 10
SETTLED = 6.0
"""Seconds until a still face in a still room costs little."""
HEIGHT = 480
PHONE = (500, 560)
"""First and last column of the staged phone, which rises from the lower edge: 110 pixels high at most."""
SCREEN = (200, 30, 200)
"""Its colour, which the portrait has nowhere."""
SKIN = (190, 140, 115)
SEEN_FROM = 1_000
"""Pixels of the screen from which the staged detector finds the phone."""


def with_phone(picture: Pixels, rows: float) -> Pixels:
    """The picture with a hand that holds a phone, so many rows of it above the lower edge."""
    result, top = picture.copy(), HEIGHT - round(min(rows, 110.0))
    result[min(top + 30, HEIGHT) :, PHONE[0] - 12 : PHONE[1] + 12] = SKIN
    result[top : top + 90, PHONE[0] : PHONE[1]] = SCREEN
    return result


PERSON = Detection("person", 0.9, Box(100.0, 60.0, 540.0, 480.0))


def staged_detector(pixels: Pixels, /, *, close: bool = True) -> Steps[ObjectDetections]:
    """Finds the person, and the staged phone where enough of it is to be seen; doubts half of that, as the
    scores of real detectors rise with what is to be seen."""
    yield
    red, green, blue = np.moveaxis(pixels.astype(np.int16), 2, 0)
    screen = (red - green > 80) & (blue - green > 80)
    phones: tuple[Detection, ...] = ()
    seen = int(screen.sum())
    if seen >= SEEN_FROM:
        rows, columns = np.nonzero(screen)
        box = Box(*(float(at) for at in (columns.min(), rows.min(), columns.max(), rows.max())))
        phones = (Detection("cell phone", 0.9, box),)
    return ObjectDetections(phones, (PERSON,), "staged", doubtful=SEEN_FROM / 2 <= seen < SEEN_FROM)


@pytest.fixture(scope="module")
def models(vision_models: VisionModels) -> VisionModels:
    """Real faces, and a detector whose answer is known."""
    return replace(vision_models, objects=staged_detector, liveness=None, identity=None)


def both(
    models: VisionModels, picture_at: Callable[[float], Pixels], seconds: float, variant: Variant
) -> tuple[Result, Result]:
    """Ten pictures a second to a gated session and to one that analyses everything."""
    frames = (Frame(n / RATE, picture_at(n / RATE)) for n in range(round(seconds * RATE)))
    policy = load_policy("exam")
    sides = [new_side(models, policy, gated=gated) for gated in (True, False)]
    gated, ungated = run(frames, variant, sides)
    return gated, ungated


def phones(result: Result) -> list[IncidentSummary]:
    """Its incidents of phones."""
    return [incident for incident in result.incidents if incident.kind == "object.phone"]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("speed", "variant"),
    [
        (3.0, Variant(2, 60)),
        (15.0, Variant(0, 90)),
        (15.0, Variant(2, 60)),
        (15.0, Variant(5, 60)),
    ],
    ids=lambda value: f"{value:g} rows a second" if isinstance(value, float) else str(value),
)
def test_a_hand_that_creeps_into_the_picture_with_a_phone(
    models: VisionModels, speed: float, variant: Variant
) -> None:
    face, length = portrait(), SETTLED + 60 / speed + 4

    gated, ungated = both(
        models,
        lambda time: with_phone(face, max(0.0, time - SETTLED) * speed),
        length,
        variant,
    )

    (found,), (expected,) = phones(gated), phones(ungated)
    assert found.started_at == pytest.approx(expected.started_at, abs=0.2)
    assert gated.runs["objects"] < ungated.runs["objects"], "nothing was carried over"
    assert differences(ungated.incidents, gated.incidents) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_phone_that_lies_still_after_it_was_put_down_stays_an_incident(
    models: VisionModels,
) -> None:
    face, put, taken = portrait(), SETTLED + 1, SETTLED + 14
    lying = with_phone(face, 80)

    gated, ungated = both(
        models, lambda time: lying if put <= time < taken else face, taken + 5, Variant(2, 60)
    )

    (found,), (expected,) = phones(gated), phones(ungated)
    assert found.started_at == pytest.approx(expected.started_at, abs=0.2)
    assert found.ended_at == pytest.approx(expected.ended_at, abs=1.0)
    assert not [one for one in differences(ungated.incidents, gated.incidents) if one.fails]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_incident_is_lost_added_or_moved_in_two_minutes_of_recordings(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The short form of ``python -m evaluation.gating``."""
    models, total = evaluation_models(shared_data), Total()
    for task in short_tasks(shared_data):
        total.add(compare(models, task))
    with capsys.disabled():
        sys.stdout.write(f"\n{total}\n")
    assert total.failures == []
    assert total.incidents >= 5


# The comparison itself.


def incident(kind: str, start: float, seconds: float = 3.0, **more: bool) -> IncidentSummary:
    """An incident of which only kind and times matter."""
    return IncidentSummary(
        1, kind, kind, Severity.WARNING, start, seconds, 1.0, more.get("alerted", True), ""
    )


def test_what_is_lost_added_or_moved_is_found() -> None:
    before = [
        incident("gaze.left", 1.0),
        incident("gaze.left", 20.0),
        incident("object.phone", 5.0),
        incident("face.spoof", 8.0),
    ]
    after = [
        incident("gaze.left", 1.2),
        incident("gaze.left", 20.3, 2.7),
        incident("gaze.right", 5.0),
        incident("face.spoof", 8.0, 4.0, alerted=False),
    ]

    found = differences(before, after)

    assert found == [
        Difference(What.ADDED, "gaze.right", 5.0),
        Difference(What.LOST, "object.phone", 5.0),
        Difference(What.END, "face.spoof", 8.0, 1.0),
        Difference(What.ALERT, "face.spoof", 8.0),
        Difference(What.START, "gaze.left", 20.0, 0.3),
    ]
    assert [one.fails for one in found] == [True, True, False, True, True]
    assert str(found[4]) == "gaze.left at 20.0 s: start moved by +0.30 s"


def test_an_incident_that_falls_apart_is_one_and_another_that_was_added() -> None:
    found = differences(
        [incident("face.absent", 2.0, 10.0)],
        [incident("face.absent", 2.0, 4.0), incident("face.absent", 8.0, 4.0)],
    )
    assert [(one.what, one.time) for one in found] == [(What.END, 2.0), (What.ADDED, 8.0)]
