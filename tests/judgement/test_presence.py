"""Absence, hidden faces, passers-by, helpers and posters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from proctoring.incidents import IncidentState
from proctoring.judgement import parse_policy
from proctoring.observations import Box, Detection, Face, FrameObservation, ObjectDetections

from .build import EXAM, of_kind, run, seen, times

NEAR, FAR = Box(200, 100, 360, 300), Box(500, 120, 560, 195)
PRESENCE = ("face.absent", "face.hidden", "person.multiple", "person.background")


def look(time: float, widths: Iterable[float], *, face_seen: bool = False) -> FrameObservation:
    """An object detection of persons with these widths."""
    persons = tuple(Detection("person", 0.8, Box(10, 10, 10 + w, 400)) for w in widths)
    objects = ObjectDetections((), persons, "ssd", face_seen=face_seen)
    return replace(seen(time, faces=None), objects=objects)


def faces(time: float, *others: Face) -> FrameObservation:
    """A frame with the candidate and others."""
    own = Face(1, NEAR, 0.99)
    return replace(seen(time), faces=(own, *others))


def session(
    until: float, faces_at: dict[float, int], persons_at: dict[float, int]
) -> Iterator[FrameObservation]:
    """Ten frames and one object detection per second; the tables give counts by start time."""
    for time in times(0, until):
        count = faces_at[max(t for t in faces_at if t <= time)]
        yield seen(time, faces=count)
        if abs(time - round(time)) < 0.01:
            persons = persons_at[max(t for t in persons_at if t <= time)]
            yield look(time, [200.0] * persons, face_seen=count > 0)


def started(observations: Iterable[FrameObservation]) -> list[tuple[str, float]]:
    """Kinds of incidents that start, and when."""
    return [
        (change.kind, round(time, 1))
        for time, change in run(observations)
        if change.kind in PRESENCE and change.state is IncidentState.STARTED
    ]


def test_absence_is_reported_after_three_seconds() -> None:
    looks = session(12, {0: 1, 4.5: 0}, {0: 1, 5: 0})
    assert started(looks) == [("face.absent", 7.5)]


def test_a_hidden_face_differs_from_absence() -> None:
    looks = session(12, {0: 1, 4.5: 0}, {0: 1})
    assert started(looks) == [("face.hidden", 7.5)]


def test_every_other_missed_detection_does_not_count_as_absence() -> None:
    flicker = {float(n): n % 2 for n in range(30)}
    ((kind, time),) = started(session(20, {0: 1, 4.5: 0}, {0: 1, **flicker}))
    assert kind == "face.hidden"
    assert time < 11


def test_a_hidden_face_followed_by_absence_is_both() -> None:
    looks = session(25, {0: 1, 4.5: 0}, {0: 1, 10: 0})
    assert [kind for kind, _ in started(looks)] == ["face.hidden", "face.absent"]


def test_absence_is_found_without_an_object_detector() -> None:
    frames = (seen(t, faces=0 if t > 4 else 1) for t in times(0, 10))
    assert started(frames) == [("face.absent", 7.1)]


def test_a_second_person_is_reported_after_a_second() -> None:
    beside = Face(2, Box(400, 110, 540, 290), 0.9, since=2.0)
    frames = (faces(t, *([beside] if t >= 2 else [])) for t in times(0, 5))
    assert started(frames) == [("person.multiple", 3.0)]


@pytest.mark.parametrize(("leaves", "expected"), [(5.5, 0), (30.0, 1)])
def test_a_passer_by_is_in_the_background_until_staying_too_long(
    leaves: float, expected: int
) -> None:
    behind = Face(2, FAR, 0.9, since=2.0)
    frames = (faces(t, *([behind] if 2 <= t < leaves else [])) for t in times(0, 12))
    found = started(frames)
    assert found[0] == ("person.background", 3.0)
    assert [kind for kind, _ in found[1:]] == ["person.multiple"] * expected
    if expected:
        assert found[1][1] == 8.0  # 5 s to pass, then the second that anybody has


def test_a_passer_by_without_a_face_is_in_the_background_too() -> None:
    def looks(until: float) -> Iterator[FrameObservation]:
        for time in times(0, 14):
            yield faces(time)
            if abs(time - round(time)) < 0.01:
                yield look(time, [300.0, 60.0] if 2 <= time < until else [300.0], face_seen=True)

    assert started(looks(5.5)) == [("person.background", 3.0)]
    assert [kind for kind, _ in started(looks(30))] == ["person.background", "person.multiple"]


def test_a_policy_can_allow_no_passers_by() -> None:
    policy = parse_policy('name = "p"\n[objects]\nmax_background_time = 0')
    behind = Face(2, FAR, 0.9, since=2.0)
    frames = (faces(t, *([behind] if t >= 2 else [])) for t in times(0, 5))
    ((time, _),) = of_kind(run(frames, policy), "person.multiple")
    assert time == 3.0


@pytest.mark.parametrize("picture", [True, None])
def test_a_depicted_or_undecided_face_is_no_second_person(picture: bool | None) -> None:
    poster = Face(2, Box(400, 110, 540, 290), 0.9, depicted=picture)
    assert started(faces(t, poster) for t in times(0, 10)) == []


def test_the_limits_are_validated() -> None:
    assert EXAM.objects.max_background_size == 0.5
    assert EXAM.objects.max_background_time == 5.0
