"""Turned pictures: real pixels and networks, judged by the exam policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from tests.judgement.build import EXAM

from proctoring.incidents import IncidentState
from proctoring.judgement import initial_state, judge
from proctoring.judgement.problems import media_problems
from proctoring.observations import FrameObservation
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import read_frames

from .conftest import photograph, warp

ABSENT, HIDDEN, TURNED = "face.absent", "face.hidden", "camera.turned"


def turned(pixels: Pixels, degrees: int) -> Pixels:
    """The picture turned against the clock."""
    return np.ascontiguousarray(np.rot90(pixels, degrees // 90))


def judged(
    models: VisionModels, pictures: Iterable[Pixels], rate: float = 5.0
) -> tuple[list[FrameObservation], dict[str, float], list[tuple[str, ...]]]:
    """Observations, kind of incident to when it was told, and what was told to be missing."""
    analyser = VisionAnalyser(replace(models, liveness=None, identity=None))
    state = initial_state()
    observations: list[FrameObservation] = []
    started: dict[str, float] = {}
    missing: list[tuple[str, ...]] = []
    for index, pixels in enumerate(pictures):
        observation = analyser.analyse(Frame(index / rate, pixels)).observation
        state, changes = judge(EXAM, state, observation)
        observations.append(observation)
        missing.append((*state.enrolment.missing, *media_problems(state)))
        for change in changes:
            if change.state is IncidentState.STARTED:
                started[change.kind] = observation.time
    return observations, started, missing


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("rate", [5.0, 2.0])
def test_a_turned_picture_is_told_as_turned_and_nobody_as_absent(
    vision_models: VisionModels, astronaut: Pixels, degrees: int, rate: float
) -> None:
    pictures = [turned(astronaut, degrees)] * int(7 * rate)
    observations, started, missing = judged(vision_models, pictures, rate)

    told = observations[-1].turned
    assert told is not None
    assert (told.degrees, told.certain) == (degrees, True)
    assert started[TURNED] <= 6
    assert started.keys().isdisjoint({ABSENT, HIDDEN})
    assert "picture_turned" in missing[-1]
    assert not any("nobody" in codes for codes in missing[int(2 * rate) :])


def test_a_picture_turned_back_is_upright_within_half_a_second(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    upside_down = [turned(astronaut, 180)] * 20
    observations, started, missing = judged(vision_models, [*upside_down, *[astronaut] * 10])

    assert started[TURNED] <= 4
    assert all(observation.turned is None for observation in observations[23:])
    assert "picture_turned" not in missing[-1]


@pytest.mark.slow
def test_a_face_upside_down_that_is_taken_for_an_upright_one_is_told_as_turned(
    vision_models: VisionModels, shared_data: Path
) -> None:
    frames = read_frames(shared_data / "video/liveportrait/d3.mp4")
    upside_down = [turned(frame.pixels, 180) for frame in islice(frames, 0, 150, 5)]
    observations, started, _ = judged(vision_models, upside_down)

    assert observations[0].faces
    assert started[TURNED] <= 4
    assert ABSENT not in started


def test_an_empty_chair_is_absence_without_delay(vision_models: VisionModels) -> None:
    observations, started, _ = judged(vision_models, [photograph("coffee")] * 30)

    assert not any(observation.turned for observation in observations)
    assert started[ABSENT] == pytest.approx(3.0, abs=0.21)
    assert TURNED not in started


def test_a_head_that_lies_sideways_is_no_turned_picture_and_a_turned_camera_is(
    vision_models: VisionModels,
) -> None:
    room = warp(photograph("coffee"), scale=1.8, shift=(20.0, 40.0))
    person = photograph("astronaut")[0:240, 100:340]
    upright, lying = room.copy(), room
    upright[120:360, 200:440] = person
    lying[120:360, 200:440] = turned(person, 90)

    observations, started, _ = judged(vision_models, [upright] * 20 + [lying] * 30, rate=5)
    assert not any(observation.turned for observation in observations)
    assert TURNED not in started

    turned_camera = [turned(upright, 90)] * 30
    _, started, _ = judged(vision_models, [upright] * 20 + turned_camera, rate=5)
    assert 4 < started[TURNED] <= 4 + 6
    assert ABSENT not in started
