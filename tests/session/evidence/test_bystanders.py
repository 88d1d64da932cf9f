from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from tests.session.evidence.people import (
    BYSTANDER,
    CANDIDATE,
    WIDTH,
    one_person,
    part,
    two_people,
)

from proctoring.observations import (
    Box,
    Candidate,
    Detection,
    Face,
    FrameObservation,
    ObjectDetections,
)
from proctoring.session.evidence.bystanders import (
    HIDE_MARGIN,
    PeopleInFrame,
    hide_bystanders,
    people_in,
)
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels

PERSONS = (Box(0.02, 0.05, 0.48, 1), Box(0.52, 0.05, 0.98, 1))
"""Both, whole."""


def look(time: float, *, candidate: Box | None = CANDIDATE, bystanders: Iterable[Box] | None = (),
         persons: Iterable[Box] = ()) -> PeopleInFrame:  # fmt: skip
    seen = None if bystanders is None else tuple(bystanders)
    return PeopleInFrame(time, candidate, seen, tuple(persons))


def fine_detail(pixels: Pixels) -> float:
    """Mean strength of edges: features of a face are made of it."""
    grey = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)
    return float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean())


def is_hidden(before: Pixels, after: Pixels, box: Box) -> bool:
    return fine_detail(part(after, box)) < 0.2 * fine_detail(part(before, box))


def is_untouched(before: Pixels, after: Pixels, box: Box) -> bool:
    return bool((part(after, box) == part(before, box)).all())


def test_a_bystanders_face_is_hidden_and_the_candidates_is_not() -> None:
    picture = two_people()
    kept = hide_bystanders(picture, 5.0, [look(5.0, bystanders=[BYSTANDER])])
    assert is_hidden(picture, kept, BYSTANDER)
    assert is_untouched(picture, kept, CANDIDATE)
    assert (picture == two_people()).all(), "the picture itself was changed"


def test_a_candidate_alone_is_left_as_is() -> None:
    picture = two_people()
    assert hide_bystanders(picture, 5.0, [look(5.0)]) is picture


@pytest.mark.parametrize(("seen", "hidden"), [
    (5.0 - HIDE_MARGIN - 0.1, False), (5.01 - HIDE_MARGIN, True), (4.99 + HIDE_MARGIN, True), (5.0 + HIDE_MARGIN + 0.1, False),
])  # fmt: skip
def test_a_place_is_hidden_before_and_after_somebody_was_seen_there(
    seen: float, hidden: bool
) -> None:
    picture = two_people()
    looks = sorted([look(5.0), look(seen, bystanders=[BYSTANDER])], key=lambda each: each.time)
    assert is_hidden(picture, hide_bystanders(picture, 5.0, looks), BYSTANDER) is hidden


@pytest.mark.parametrize("looks", [
    [], [look(3.0)], [look(5.0, candidate=None, bystanders=None, persons=PERSONS)],
])  # fmt: skip
def test_a_picture_around_which_nobody_looked_is_hidden_whole(looks: list[PeopleInFrame]) -> None:
    picture = two_people()
    kept = hide_bystanders(picture, 5.0, looks)
    assert is_hidden(picture, kept, BYSTANDER)
    assert is_hidden(picture, kept, CANDIDATE)


def test_the_head_of_a_person_without_a_face_is_hidden() -> None:
    picture = two_people()
    kept = hide_bystanders(picture, 5.0, [look(5.0, persons=PERSONS)])
    assert is_hidden(picture, kept, BYSTANDER)
    assert is_untouched(picture, kept, CANDIDATE)


def test_of_persons_without_any_face_the_largest_is_the_candidate() -> None:
    picture = two_people()
    smaller = Box(0.6, 0.05, 0.9, 0.9)
    kept = hide_bystanders(picture, 5.0, [look(5.0, candidate=None, persons=[PERSONS[0], smaller])])
    assert is_hidden(picture, kept, BYSTANDER)
    assert is_untouched(picture, kept, CANDIDATE)


def test_faces_without_a_candidate_are_all_hidden() -> None:
    picture = two_people()
    kept = hide_bystanders(
        picture, 5.0, [look(5.0, candidate=None, bystanders=[CANDIDATE, BYSTANDER])]
    )
    assert is_hidden(picture, kept, CANDIDATE)
    assert is_hidden(picture, kept, BYSTANDER)


def test_a_bystander_cheek_to_cheek_leaves_the_candidate_to_be_seen() -> None:
    picture = two_people()
    beside = Box(CANDIDATE.right, CANDIDATE.top, CANDIDATE.right + 0.1, CANDIDATE.bottom)
    kept = hide_bystanders(picture, 5.0, [look(5.0, bystanders=[beside])])
    assert is_hidden(picture, kept, beside)
    middle = Box(CANDIDATE.left + 0.02, CANDIDATE.top + 0.05, CANDIDATE.right - 0.02,
                 CANDIDATE.bottom - 0.05)  # fmt: skip
    assert is_untouched(picture, kept, middle)


@pytest.mark.parametrize("box", [
    Box(-0.5, -0.5, 0.01, 0.01), Box(0.99, 0.99, 1.5, 1.5), Box(2, 2, 3, 3), Box(0.5, 0.5, 0.5, 0.5),
])  # fmt: skip
def test_boxes_that_reach_out_of_the_picture_do_no_harm(box: Box) -> None:
    picture = two_people()
    kept = hide_bystanders(picture, 5.0, [look(5.0, bystanders=[box], persons=[box, *PERSONS])])
    assert kept.shape == picture.shape


def test_an_observation_says_who_is_where_whatever_the_pictures_size() -> None:
    faces = (Face(3, Box(100, 50, 200, 150), 1.0), Face(4, Box(400, 50, 500, 150), 1.0))
    persons = (Detection("person", 0.9, Box(0, 0, 300, 480)),)
    found = people_in(
        FrameObservation(
            7.0, 640, 480, faces, Candidate(4, None, None, None),
            ObjectDetections(phones=(), persons=persons, detector="any"),
        )
    )  # fmt: skip
    assert found.candidate == Box(400 / 640, 50 / 480, 500 / 640, 150 / 480)
    assert found.bystanders == (Box(100 / 640, 50 / 480, 200 / 640, 150 / 480),)
    assert found.persons == (Box(0, 0, 300 / 640, 1),)
    nobody_looked = people_in(FrameObservation(7.0, 640, 480, None, None, None))
    assert nobody_looked.bystanders is None


def test_the_real_networks_find_nobody_where_a_bystander_was_hidden(
    vision_models: VisionModels,
) -> None:
    """The candidate is there first; then somebody comes. In the kept picture, nobody came."""
    if vision_models.faces is None:
        pytest.skip("no face networks: " + "; ".join(c.reason for c in vision_models.capabilities))
    analyser = VisionAnalyser(vision_models)
    looks: list[PeopleInFrame] = []
    for n in range(36):
        picture = one_person() if n < 15 else two_people()
        looks.append(people_in(analyser.analyse(Frame(n / 10, picture)).observation))
    assert looks[-1].bystanders, "the bystander was not even found"
    for n in (15, 20, 35):  # the first two before any look could find the newcomer
        kept = hide_bystanders(two_people(), n / 10, looks)
        fresh = VisionAnalyser(vision_models)
        found = [fresh.analyse(Frame(0.1 * k, kept)).observation for k in range(2)]
        faces = found[-1].faces
        assert faces is not None
        assert len(faces) == 1, f"at {n / 10} s"
        assert faces[0].box.right < WIDTH / 2
