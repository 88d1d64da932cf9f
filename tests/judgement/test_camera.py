"""Incidents about the camera, which replace those about faces."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judgement.build import EXAM, of_kind, run, seen, times

from proctoring.incidents import IncidentState
from proctoring.observations import (
    CameraMovement,
    FrameObservation,
    Identity,
    ImageQuality,
    InjectionIndicators,
    Liveness,
)

CLEAR = ImageQuality(brightness=120, overexposed=0.01, structure=15, detail=5)
TROUBLES = {
    "camera.covered": ImageQuality(brightness=60, overexposed=0, structure=0.4, detail=0.3),
    "camera.dark": ImageQuality(brightness=12, overexposed=0, structure=4, detail=1.2),
    "camera.bright": ImageQuality(brightness=240, overexposed=0.8, structure=6, detail=2),
    "camera.blurred": ImageQuality(brightness=120, overexposed=0, structure=4, detail=0.4),
}


def frame(time: float, view: ImageQuality, faces: int = 1) -> FrameObservation:
    return replace(seen(time, faces=faces), camera=view)


@pytest.mark.parametrize(("kind", "view"), TROUBLES.items())
def test_a_bad_picture_for_three_seconds_is_one_camera_incident_only(
    kind: str, view: ImageQuality
) -> None:
    changes = run(
        [
            *(frame(t, CLEAR) for t in times(0, 2)),
            *(frame(t, view, faces=0) for t in times(2.1, 30)),
            *(frame(t, CLEAR) for t in times(30.1, 33)),
        ]
    )
    assert [(c.kind, c.state) for _, c in changes if c.state is not IncidentState.UPDATED] == [
        (kind, IncidentState.STARTED),
        (kind, IncidentState.ENDED),
    ]


@pytest.mark.parametrize(("kind", "view"), TROUBLES.items())
def test_a_bad_picture_for_less_than_three_seconds_is_no_incident(
    kind: str, view: ImageQuality
) -> None:
    changes = run(
        [
            *(frame(t, view, faces=0) for t in times(0, 2.9)),
            *(frame(t, CLEAR) for t in times(3, 6)),
        ]
    )
    assert not of_kind(changes, kind)


def test_an_empty_clear_picture_is_absence() -> None:
    changes = run(frame(t, CLEAR, faces=0) for t in times(0, 5))
    assert [c.kind for _, c in changes] == ["face.absent"]


def test_a_candidate_who_leaves_in_the_dark_is_absent_once_it_is_light() -> None:
    changes = run(
        [
            *(frame(t, TROUBLES["camera.dark"], faces=0) for t in times(0, 10)),
            *(frame(t, CLEAR, faces=0) for t in times(10.1, 14)),
        ]
    )
    ((_, absent),) = of_kind(changes, "face.absent")
    assert absent.started_at == pytest.approx(10.1)


def test_the_limits_come_from_the_policy() -> None:
    policy = EXAM.with_accommodations({"camera": {"min_brightness": 5}})
    changes = run((frame(t, TROUBLES["camera.dark"]) for t in times(0, 5)), policy)
    assert not changes


def in_time(
    time: float,
    *,
    unchanged: float = 0.0,
    ever_changed: bool = True,
    moved: bool = False,
    likeness: float | None = 0.9,
) -> FrameObservation:
    stream = InjectionIndicators(unchanged, ever_changed, None)
    return replace(seen(time), stream=stream, scene=CameraMovement(likeness, moved))


def test_a_picture_that_stops_changing_is_a_frozen_camera_and_no_spoof() -> None:
    changes = run(in_time(n, unchanged=max(0.0, n - 5.0)) for n in range(20))
    (found,) = [change for _, change in changes]
    assert (found.kind, found.label) == ("camera.frozen", "Camera Frozen")
    assert (found.severity, found.started_at) == ("warning", 6.0)
    assert "stood still" in found.reason


def test_a_picture_that_never_changed_is_a_spoof_and_no_frozen_camera() -> None:
    changes = run(in_time(n, unchanged=n, ever_changed=False) for n in range(20))
    assert {change.kind for _, change in changes} == {"face.spoof"}


@pytest.mark.parametrize(
    ("backwards", "reason"),
    [
        (False, "the same pictures as 3.0 s before, pixel for pixel"),
        (True, "the same pictures as 3.0 s before, pixel for pixel, in reverse order"),
    ],
)
def test_pictures_that_return_exactly_are_a_loop_at_once_and_nothing_else(
    backwards: bool, reason: str
) -> None:
    """Also before the candidate is ready, and though no picture of a loop is new."""

    def looped(n: int) -> FrameObservation:
        stream = InjectionIndicators(
            max(0.0, n - 3.0), True, 3.0 if n > 4 else None, exact=n > 4, backwards=backwards
        )
        return replace(seen(n), stream=stream)

    changes = run(looped(n) for n in range(20))
    ((time, found),) = changes
    assert time == 5.0
    assert (found.kind, found.label) == ("camera.looped", "Looped Video Detected")
    assert (found.severity, found.confidence, found.reason) == ("violation", 1.0, reason)


def test_a_moved_camera_is_reported_once() -> None:
    changes = run(in_time(n, moved=n == 7, likeness=0.1 if n == 7 else 0.9) for n in range(20))
    (started,) = of_kind(changes, "camera.moved")
    assert len(of_kind(changes, "camera.moved", IncidentState.ENDED)) == 1
    assert started[1].label == "Camera Moved"
    assert "the background became another and stays so (likeness 0.10)" in started[1].reason


@pytest.mark.parametrize("kind", ["camera.dark", "camera.covered"])
def test_faces_in_dark_or_covered_pictures_raise_no_incident(kind: str) -> None:
    life = Liveness(1, 0.01, "networks", 5, None, 0.001, None, None)
    other = Identity(1, 0.9, 5, "now and then", from_photo=False)
    looks = (
        replace(
            seen(n / 2, yaw=40, head=(40, 0)), camera=TROUBLES[kind], liveness=life, identity=other
        )
        for n in range(40)
    )
    assert {change.kind for _, change in run(looks)} == {kind}
