"""How often the networks score a face."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.vision.conftest import warp
from tests.vision.moving import with_noise

from proctoring.observations import Box
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import Mesh, hull
from proctoring.vision.liveness.scoring import LivenessScorer
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.networks import VisionModels
from proctoring.vision.stages.context import Context, Latest
from proctoring.vision.stages.liveness import LivenessStage

from ..liveness.test_motion import read


@pytest.fixture(scope="module")
def mesh(vision_models: VisionModels, astronaut: Pixels) -> Mesh:
    return read(vision_models, [astronaut])[0]


def scored(
    mesh: Mesh,
    picture: Callable[[int], Pixels],
    *,
    score: float = 0.9,
    calm: bool = True,
    track: Callable[[int], int] = lambda _: 1,
    swapped: int | None = None,
) -> list[int]:
    """Seconds, of twelve, in which the networks ran; every second has a result."""
    ran: list[int] = []

    def judge(pixels: Pixels, box: Box) -> float:
        ran.append(second)
        return score

    tracker, generator = LivenessTracker(LivenessScorer("by hand", judge)), np.random.default_rng(0)
    stage = LivenessStage(tracker)
    for second in range(12):
        frame = Frame(float(second), with_noise(picture(second), generator, 2))
        context = Context(frame, 1.0, Latest(), calm=calm, swapped=second == swapped)
        context.candidate = TrackedFace(track(second), mesh, 1.0, hull(mesh))
        tracker.update(frame.time, track(second), mesh)
        assert stage.run(context)["liveness"] is not None
    return ran


def test_a_face_that_stays_as_it_is_is_scored_every_other_second(
    mesh: Mesh, astronaut: Pixels
) -> None:
    assert scored(mesh, lambda _: astronaut) == [0, 1, 2, 3, 4, 6, 8, 10]


def test_a_swapped_face_is_scored_at_once(mesh: Mesh, astronaut: Pixels) -> None:
    assert scored(mesh, lambda _: astronaut, swapped=7) == [0, 1, 2, 3, 4, 6, 7, 9, 11]


def test_a_face_that_changes_is_scored_every_second(mesh: Mesh, astronaut: Pixels) -> None:
    def picture(second: int) -> Pixels:
        return warp(astronaut, shift=(6.0 * max(0, second - 6), 0.0))

    assert scored(mesh, picture)[-4:] == [8, 9, 10, 11]


@pytest.mark.parametrize("doubt", ["something is pending", "a low score", "another track"])
def test_in_doubt_it_is_scored_every_second(mesh: Mesh, astronaut: Pixels, doubt: str) -> None:
    ran = scored(
        mesh,
        lambda _: astronaut,
        score=0.4 if doubt == "a low score" else 0.9,
        calm=doubt != "something is pending",
        track=lambda second: second if doubt == "another track" else 1,
    )
    assert ran == list(range(12))
