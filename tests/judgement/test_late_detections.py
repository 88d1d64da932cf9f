"""Deferred detections that are judged after later frames, with the same result."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judgement.build import look, of_kind, run, run_on, seen, times

from proctoring.incidents import IncidentState
from proctoring.observations import FrameObservation, Observation

LATE = (0.0, 0.15, 0.4, 1.3)
"""Seconds from a frame to its object detection."""


def sitting(late: float, faces: int = 1) -> list[Observation]:
    """Ten frames per second; one object detection per second, judged ``late`` seconds later.

    From 5 to 9 s it detects two persons.
    """
    due: list[tuple[float, Observation]] = []
    for t in times(0, 14):
        due.append((t, seen(t, faces=faces)))
        if round(t * 10) % 10 == 0:
            persons = (0.9, 0.8) if 5 <= t <= 9 else (0.9,)
            found = FrameObservation(t, 640, 480, None, None, look(persons=persons))
            due.append((t + late + 0.001, found))
    return [observation for _, observation in sorted(due, key=lambda item: item[0])]


def in_one(observations: list[Observation]) -> list[Observation]:
    """The same with every object detection in the observation of its frame."""
    slow = {o.time: o for o in observations if isinstance(o, FrameObservation) and o.objects}
    return [
        replace(o, objects=slow[o.time].objects) if o.time in slow else o
        for o in observations
        if isinstance(o, FrameObservation) and not o.objects
    ]


@pytest.mark.parametrize("late", LATE)
def test_late_object_detections_give_the_same_second_person(late: float) -> None:
    changes = run(sitting(late))
    ((_, started),) = of_kind(changes, "person.multiple")
    ((_, ended),) = of_kind(changes, "person.multiple", IncidentState.ENDED)
    ((_, should),) = of_kind(run(in_one(sitting(0.0))), "person.multiple", IncidentState.ENDED)
    assert (started.started_at, ended.duration) == (should.started_at, should.duration) == (5, 4)
    assert ended.confidence == pytest.approx(should.confidence)
    assert "2 persons by ssd" in started.reason


@pytest.mark.parametrize("late", LATE)
def test_a_late_count_of_one_person_does_not_end_what_two_faces_hold(late: float) -> None:
    changes = run(sitting(late, faces=2))
    ((_, started),) = of_kind(changes, "person.multiple")
    assert started.started_at == 0.0
    assert not of_kind(changes, "person.multiple", IncidentState.ENDED)


def test_the_same_late_detection_counts_once() -> None:
    frames = [seen(t) for t in times(0, 1)]
    late = FrameObservation(0.5, 640, 480, None, None, look(persons=(0.9, 0.8)))
    once, _ = run_on([*frames, late])
    twice, changes = run_on([*frames, late, late, late])
    assert twice == once
    assert len(once.kinds["person.multiple"].samples) == 1
    assert not changes


def test_a_detection_that_arrives_too_late_is_ignored() -> None:
    frames = [seen(t) for t in times(0, 20)]
    looks = [FrameObservation(t, 640, 480, None, None, look(persons=(0.9, 0.8))) for t in (1, 2, 3)]
    assert not run([*frames, *looks])
