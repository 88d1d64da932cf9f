"""Trouble with the picture as a whole: said once, and nobody is accused for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.judgement.build import EXAM, of_kind, run, seen, times

from proctoring.incidents import IncidentState
from proctoring.observations import CameraView, FrameObservation

CLEAR = CameraView(brightness=120, burnt=0.01, structure=15, detail=5)
TROUBLES = {
    "camera.covered": CameraView(brightness=60, burnt=0, structure=0.4, detail=0.3),
    "camera.dark": CameraView(brightness=12, burnt=0, structure=4, detail=1.2),
    "camera.bright": CameraView(brightness=240, burnt=0.8, structure=6, detail=2),
    "camera.blurred": CameraView(brightness=120, burnt=0, structure=4, detail=0.4),
}


def frame(time: float, view: CameraView, faces: int = 1) -> FrameObservation:
    return replace(seen(time, faces=faces), camera=view)


@pytest.mark.parametrize(("kind", "view"), TROUBLES.items())
def test_trouble_of_three_seconds_is_one_incident_and_accuses_nobody(
    kind: str, view: CameraView
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
def test_trouble_of_less_than_three_seconds_is_none(kind: str, view: CameraView) -> None:
    changes = run(
        [
            *(frame(t, view, faces=0) for t in times(0, 2.9)),
            *(frame(t, CLEAR) for t in times(3, 6)),
        ]
    )
    assert not of_kind(changes, kind)


def test_nobody_there_in_a_clear_picture_is_still_absence() -> None:
    changes = run(frame(t, CLEAR, faces=0) for t in times(0, 5))
    assert [c.kind for _, c in changes] == ["face.absent"]


def test_who_leaves_under_cover_of_darkness_is_missed_once_it_is_light() -> None:
    changes = run(
        [
            *(frame(t, TROUBLES["camera.dark"], faces=0) for t in times(0, 10)),
            *(frame(t, CLEAR, faces=0) for t in times(10.1, 14)),
        ]
    )
    ((_, absent),) = of_kind(changes, "face.absent")
    assert absent.started_at == pytest.approx(10.1)


def test_the_limits_are_the_policys() -> None:
    policy = EXAM.with_accommodations({"camera": {"dark": 5}})
    changes = run((frame(t, TROUBLES["camera.dark"]) for t in times(0, 5)), policy)
    assert not changes
