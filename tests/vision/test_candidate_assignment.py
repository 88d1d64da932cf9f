"""The candidate's face, while faces come and go."""

from __future__ import annotations

import numpy as np

from proctoring.observations import Box
from proctoring.vision.candidate_assignment import (
    HOLD_SECONDS,
    CandidateAssignment,
    CandidateState,
    assign_candidate,
)
from proctoring.vision.face_tracking import TrackedFace


def face(track: int, left: float = 250, size: float = 100) -> TrackedFace:
    mesh = np.zeros((478, 3), np.float32)
    return TrackedFace(track, mesh, 0.99, Box(left, 150, left + size, 150 + size))


def choices(*frames: tuple[float, list[TrackedFace]]) -> list[CandidateAssignment]:
    state: CandidateState | None = None
    made = []
    for time, faces in frames:
        assignment = assign_candidate(state, tuple(faces), time)
        state = assignment.state
        made.append(assignment)
    return made


def chosen(*frames: tuple[float, list[TrackedFace]]) -> list[int | None]:
    return [assignment.face.track if assignment.face else None for assignment in choices(*frames)]


def test_the_first_face_is_the_candidate_the_largest_if_several() -> None:
    assert chosen((0.0, []), (0.1, [face(1, size=80), face(2, left=400, size=120)])) == [None, 2]


def test_a_larger_face_that_comes_later_does_not_take_over() -> None:
    assert chosen((0.0, [face(1)]), (0.1, [face(1), face(2, left=400, size=200)])) == [1, 1]


def test_a_lost_face_that_appears_in_the_same_place_is_the_candidate_again() -> None:
    made = choices((0.0, [face(1)]), (1.0, []), (60.0, [face(2, left=290)]))

    assert [assignment.face.track if assignment.face else None for assignment in made] == [
        1,
        None,
        2,
    ]
    assert not made[-1].person_changed


def test_a_companion_does_not_become_the_candidate_at_once() -> None:
    other = face(2, left=500)

    assert chosen(
        (0.0, [face(1), other]),
        (0.1, [other]),
        (HOLD_SECONDS - 0.1, [other]),
        (HOLD_SECONDS, [other, face(3)]),
    ) == [1, None, None, 3]


def test_another_face_in_view_that_remains_is_another_person() -> None:
    other = face(2, left=500)
    made = choices((0.0, [face(1), other]), (0.1, [other]), (0.1 + HOLD_SECONDS, [other]))

    assert made[-1].face is other
    assert made[-1].person_changed


def test_another_face_in_view_that_moves_to_the_candidates_place_is_another_person() -> None:
    made = choices(
        (0.0, [face(1), face(2, left=500)]),
        (0.1, [face(2, left=260)]),
        (0.2 + HOLD_SECONDS, [face(2, left=250)]),
    )

    assert made[1].face is None
    assert made[2].person_changed


def test_who_comes_back_alone_to_another_place_is_taken_for_the_candidate() -> None:
    made = choices((0.0, [face(1, left=50)]), (1.0, []), (9.0, [face(2, left=500)]))

    assert made[-1].face is not None
    assert not made[-1].person_changed


def test_a_face_of_quite_another_size_in_the_same_place_waits_for_the_claim_to_lapse() -> None:
    far = face(2, left=280, size=30)

    assert chosen((0.0, [face(1)]), (0.5, [far]), (HOLD_SECONDS, [far])) == [1, None, 2]
