"""Identity: comparisons of the face with the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proctoring.incidents import IncidentState
from proctoring.judgement import parse_policy
from proctoring.observations import FrameObservation, Identity, NotRead, VisibleHalf

from .build import EXAM, of_kind, run, seen

KIND = "face.mismatch"


def compared(
    time: float, distance: float, looks: int = 3, *, from_photo: bool = False
) -> FrameObservation:
    identity = Identity(1, distance, looks, "after the camera was covered", from_photo)
    return replace(seen(time), identity=identity)


def test_three_comparisons_with_another_face_start_the_incident() -> None:
    changes = run(compared(n / 2, 0.6, looks) for n, looks in enumerate([1, 2, 3, 4, 5]))
    ((time, change),) = of_kind(changes, KIND)
    assert time == 2.0
    assert change.label == "Different Person Detected"
    assert change.severity == "violation"
    assert "compared after the camera was covered" in change.reason
    assert "the session's first seconds" in change.reason


def test_single_comparisons_are_no_incident() -> None:
    assert of_kind(run(compared(10.0 * n, 0.7, looks=1) for n in range(20)), KIND) == []


def test_two_distant_comparisons_and_a_near_one_are_no_incident() -> None:
    distances = [0.5, 0.5, 0.3] * 5
    assert of_kind(run(compared(n / 2, d) for n, d in enumerate(distances)), KIND) == []


def test_three_comparisons_with_the_right_face_end_the_incident() -> None:
    distances = [0.6] * 6 + [0.2] * 3
    changes = run(compared(n / 2, d) for n, d in enumerate(distances))
    ((time, change),) = of_kind(changes, KIND, IncidentState.ENDED)
    assert (time, change.duration) == (4.0, 2.5)


def test_unreadable_comparisons_neither_start_nor_end_the_incident() -> None:
    unread = NotRead("identity", "face turned away")
    looks = [compared(n / 2, 0.6) for n in range(3)]
    looks += [replace(seen(1.5 + n), not_read=(unread,)) for n in range(30)]
    changes = run(looks)
    assert len(of_kind(changes, KIND)) == 1
    assert of_kind(changes, KIND, IncidentState.ENDED) == []


def test_the_reason_names_a_photo_as_the_reference() -> None:
    changes = run(compared(n / 2, 0.6, from_photo=True) for n in range(3))
    assert "that of the reference photo" in of_kind(changes, KIND)[0][1].reason


@pytest.mark.parametrize(("limit", "expected"), [(0.42, 1), (0.55, 0)])
def test_the_limit_comes_from_the_policy(limit: float, expected: int) -> None:
    policy = parse_policy(f'name = "p"\n[identity]\nmax_distance = {limit}')
    changes = run((compared(n / 2, 0.5) for n in range(5)), policy)
    assert len(of_kind(changes, KIND)) == expected


def test_the_distance_can_be_an_accommodation() -> None:
    policy = EXAM.with_accommodations({"identity": {"max_distance": 0.6}})
    assert policy.identity.max_distance == 0.6
    assert policy.identity.store_reference is False


def covered(time: float, evidence: float, looks: int = 3) -> FrameObservation:
    half = VisibleHalf("upper half", 0.3, evidence, looks)
    identity = Identity(1, 0.6, 5, "now and then", from_photo=False, visible=half)
    return replace(seen(time), identity=identity)


def test_a_covered_face_whose_visible_half_is_alike_is_nobody_else() -> None:
    changes = run(covered(float(n), 4.0, looks=n + 1) for n in range(60))
    assert of_kind(changes, KIND) == of_kind(changes, "face.unverified") == []


def test_a_covered_face_whose_visible_half_decides_nothing_is_told_as_not_verified() -> None:
    changes = run(covered(float(n), 2.0, looks=n + 1) for n in range(60))
    assert of_kind(changes, KIND) == []
    ((_, change),) = of_kind(changes, "face.unverified")
    assert (change.label, change.severity) == ("Identity Not Verified", "info")
    assert "a part of it is covered, and its upper half may be like" in change.reason


def test_another_person_is_reported_whatever_covers_them() -> None:
    changes = run(covered(n / 2, -6.0, looks=n + 1) for n in range(5))
    assert len(of_kind(changes, KIND)) == 1


def test_a_face_that_may_be_covered_is_looked_at_for_longer() -> None:
    changes = run(covered(n / 2, -1.0, looks=n + 1) for n in range(20))
    ((time, _),) = of_kind(changes, KIND)
    assert time == 3.0  # The fifth comparison is the first that counts.


def test_a_face_that_cannot_be_compared_for_long_is_told() -> None:
    unread = NotRead("identity", "face too dark")
    changes = run(replace(seen(float(n)), not_read=(unread,)) for n in range(30))
    ((_, change),) = of_kind(changes, "face.unverified")
    assert "face too dark" in change.reason
