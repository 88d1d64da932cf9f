"""The loop runs each stage at its own period, in order, and merges what they give."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import pytest

from proctoring.observations import (
    Candidate,
    FrameObservation,
    HeadPose,
    ImageQuality,
    NotRead,
)
from proctoring.vision.frame import Frame
from proctoring.vision.stages.context import CandidatePart, Context, Latest, ObservationPart
from proctoring.vision.stages.stage import Stage, StageLoop

PIXELS = np.zeros((48, 64, 3), np.uint8)


class Recording(Stage):
    """Notes when it ran; gives one part."""

    name = "recording"

    def __init__(self, part: ObservationPart, ran: list[tuple[str, float]], name: str) -> None:
        self._part, self._ran, self._as = part, ran, name

    def run(self, context: Context) -> ObservationPart:
        self._ran.append((self._as, context.frame.time))
        return self._part


class Every(Recording):
    name = "every"


class Second(Recording):
    name = "second"
    period = 1.0


class Scaled(Recording):
    name = "scaled"
    period = 1.0
    scaled = True


def contexts(times: Iterable[float], slowdown: float = 1.0) -> list[Context]:
    return [Context(Frame(time, PIXELS), slowdown, Latest()) for time in times]


def test_each_stage_runs_at_its_own_period_and_only_scaled_ones_slow_down() -> None:
    ran: list[tuple[str, float]] = []
    loop = StageLoop([stage({}, ran, stage.name) for stage in (Every, Second, Scaled)])

    for context in contexts((n / 10 for n in range(41)), slowdown=2.0):
        loop.run(context)

    assert [time for name, time in ran if name == "every"] == [n / 10 for n in range(41)]
    assert [time for name, time in ran if name == "second"] == [0, 1, 2, 3, 4]
    assert [time for name, time in ran if name == "scaled"] == [0, 2, 4]


def test_stages_run_in_order_and_only_those_that_ran_are_timed() -> None:
    ran: list[tuple[str, float]] = []
    loop = StageLoop([stage({}, ran, stage.name) for stage in (Second, Every)])
    first, second = contexts((0.0, 0.1))

    assert list(loop.run(first)) == ["second", "every"]
    milliseconds = loop.run(second)
    assert [name for name, _ in ran] == ["second", "every", "every"]
    assert list(milliseconds) == ["every"]
    assert milliseconds["every"] >= 0


def test_parts_become_one_observation_in_the_order_of_the_stages() -> None:
    camera = ImageQuality(100.0, 0.0, 10.0, 5.0)
    head = HeadPose(1.0, 2.0, 3.0)
    parts: list[ObservationPart] = [
        {"camera": camera, "not_read": (NotRead("head", "first"),)},
        {"candidate": {"track": 7, "head": head}},
        {},
        {
            "candidate": {"blinks": 2, "baseline_ready": False},
            "not_read": (NotRead("gaze", "second"),),
        },
    ]
    (context,) = contexts([1.5])
    StageLoop([Every(part, [], "") for part in parts]).run(context)

    assert context.observation() == FrameObservation(
        time=1.5,
        width=64,
        height=48,
        faces=None,
        candidate=Candidate(7, head, None, None, baseline_ready=False, blinks=2),
        objects=None,
        not_read=(NotRead("head", "first"), NotRead("gaze", "second")),
        camera=camera,
    )


def test_without_any_part_nothing_was_analysed() -> None:
    (context,) = contexts([0.0])

    assert context.observation() == FrameObservation(
        time=0.0, width=64, height=48, faces=None, candidate=None, objects=None
    )


@pytest.mark.parametrize(
    ("part", "whole", "given"),
    [
        (ObservationPart, FrameObservation, {"time", "width", "height"}),
        (CandidatePart, Candidate, set()),
    ],
)
def test_parts_have_the_fields_of_the_whole(part: type, whole: type, given: set[str]) -> None:
    fields = {field.name for field in dataclasses.fields(whole)} - given
    assert set(part.__annotations__) == fields
