"""Depicted faces, with synthetic landmarks and measured noise."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.face_tracking import TrackedFace

CANDIDATE, OTHER = 1, 2


def face(track: int, x: float, y: float, eyes: float, shift: float = 0.0) -> TrackedFace:
    """A face whose landmarks lie about (x, y), moved to the right by ``shift``."""
    noise = np.random.default_rng(abs(hash((track, round(shift, 3)))) % 2**32)
    mesh = np.zeros((478, 3), np.float32)
    mesh[:, :2] = np.array([x + shift, y]) + noise.normal(0, 0.05, (478, 2))
    mesh[33, 0] -= eyes / 2
    mesh[263, 0] += eyes / 2
    box = Box(x + shift - eyes, y - eyes, x + shift + eyes, y + eyes)
    return TrackedFace(track, mesh, 0.99, box)


def watch(
    seconds: float, *, sway: float, other_sway: float, eyes: float = 20.0
) -> list[bool | None]:
    """What is told of the other face, frame by frame."""
    faces, told = DepictedFaceDetector(), []
    for n in range(round(seconds * 10)):
        time = n / 10
        own = face(CANDIDATE, 200, 200, 60, sway * np.sin(time))
        other = face(OTHER, 500, 100, eyes, other_sway * np.sin(1.3 * time))
        told.append(faces.update(time, (own, other), CANDIDATE)[OTHER].depicted)
    return told


def test_a_face_on_the_wall_is_a_picture_after_three_seconds() -> None:
    told = watch(6, sway=3, other_sway=0)
    assert set(told[:29]) == {None}
    assert set(told[31:]) == {True}


def test_a_face_that_moves_a_little_is_a_persons_at_once() -> None:
    told = watch(6, sway=3, other_sway=2)
    assert False in told[:16]
    assert True not in told


def test_where_everything_stands_still_nothing_is_proven() -> None:
    assert True not in watch(6, sway=0, other_sway=0)


def test_the_candidates_face_is_never_depicted() -> None:
    faces = DepictedFaceDetector()
    for n in range(60):
        moving = face(OTHER, 500, 100, 20, 5 * np.sin(n / 10))
        still = face(CANDIDATE, 200, 200, 60)
        told = faces.update(n / 10, (still, moving), CANDIDATE)
    assert told[CANDIDATE].depicted is False


SCREEN = Box(450, 50, 560, 150)


def sorted_out(person: Box) -> tuple[ObjectDetections, bool | None]:
    """A moving face within a television, and a person with this box around it."""
    faces = DepictedFaceDetector()
    look = ObjectDetections(
        (),
        (Detection("person", 0.7, person),),
        "ssd",
        screens=(Detection("tv", 0.6, SCREEN),),
    )
    for n in range(20):
        moving = face(OTHER, 500, 100, 20, 3 * np.sin(n / 5))
        own = face(CANDIDATE, 200, 200, 60, np.sin(n / 5))
        told = faces.update(n / 10, (own, moving), CANDIDATE)
        found = faces.separate_depicted(look)
    return found, told[OTHER].depicted


def test_a_face_on_a_television_is_a_picture_though_it_moves() -> None:
    found, picture = sorted_out(Box(470, 60, 540, 148))
    assert picture is True
    assert (found.persons, len(found.depicted_persons)) == ((), 1)


def test_who_stands_before_a_television_is_a_person() -> None:
    found, picture = sorted_out(Box(460, 60, 550, 470))
    assert picture is False
    assert (len(found.persons), found.depicted_persons) == (1, ())


@pytest.mark.parametrize("track", [CANDIDATE, OTHER])
def test_since_when_a_face_is_there_is_remembered(track: int) -> None:
    faces = DepictedFaceDetector()
    for n in range(20, 40):
        told = faces.update(n / 10, (face(track, 200, 200, 60),), CANDIDATE)
    assert told[track].since == 2.0
    told = faces.update(5.0, (face(9, 200, 200, 60),), CANDIDATE)
    assert told[9].since == 5.0
