"""When the last object detection still holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from proctoring.observations import Box, Detection, ObjectDetections
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.object_gate import MAX_AGE, MAX_CLOSE_AGE, ObjectGate, is_clear
from proctoring.vision.scene_change import Scene, scene_of

FACE = Box(280, 100, 360, 200)
PERSON = Detection("person", 0.9, Box(100, 80, 540, 480))
PHONE = Detection("cell phone", 0.5, Box(300, 400, 340, 470))
ALONE = ObjectDetections((), (PERSON,), "ssd")


def scene(time: float, pixels: Pixels) -> Scene:
    return scene_of(Frame(time, pixels), [FACE])


def with_hand(pixels: Pixels, height: int, left: int = 260) -> Pixels:
    """A hand that reaches so far into the picture from below."""
    other = pixels.copy()
    other[480 - height :, left : left + 90] = (205, 160, 140)
    return other


def detected(gate: ObjectGate, now: Scene, result: ObjectDetections = ALONE) -> None:
    gate.requested(now, 1, close=True)
    gate.applied(now.time, result)


def test_a_clear_result_holds_while_nothing_changes(astronaut: Pixels) -> None:
    gate = ObjectGate()
    assert not gate.is_same(scene(0.0, astronaut), 1)
    detected(gate, scene(0.0, astronaut))
    held = [gate.is_same(scene(float(n), astronaut), 1) for n in range(1, 12)]
    assert held == [float(n) < MAX_AGE for n in range(1, 12)]


@pytest.mark.parametrize(
    "result",
    [
        pytest.param(replace(ALONE, phones=(PHONE,)), id="a phone"),
        pytest.param(replace(ALONE, suspects=1), id="a suspected phone"),
        pytest.param(replace(ALONE, doubtful=True), id="something below the thresholds"),
        pytest.param(replace(ALONE, persons=(PERSON, PERSON)), id="two persons"),
        pytest.param(replace(ALONE, persons=()), id="nobody, though there is a face"),
        pytest.param(replace(ALONE, screens=(PERSON,)), id="a screen"),
        pytest.param(replace(ALONE, depicted_persons=(PERSON,)), id="a poster"),
    ],
)
def test_what_is_found_or_suspected_is_detected_as_often_as_ever(
    astronaut: Pixels, result: ObjectDetections
) -> None:
    """So a phone that lies still after it was put down stays found, or is lost, as before."""
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut), result)
    assert not is_clear(result)
    assert not any(gate.is_same(scene(n / 2, astronaut), 1) for n in range(1, 10))
    assert gate.needs_close_view(scene(1.0, astronaut))


def test_for_some_seconds_after_a_phone_a_clear_result_is_not_trusted(astronaut: Pixels) -> None:
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut), replace(ALONE, phones=(PHONE,)))
    held = []
    for second in range(1, 9):
        held.append(gate.is_same(scene(float(second), astronaut), 1))
        if not held[-1]:
            detected(gate, scene(float(second), astronaut))
    assert held == [False] * 5 + [True] * 3 or held == [False] * 4 + [True] * 4


def test_a_hand_that_creeps_in_is_noticed_before_it_holds_anything(astronaut: Pixels) -> None:
    """Two pixels a second: no frame differs from the one before it."""
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut))
    noticed: list[int] = []
    for second in range(1, 40):
        now = scene(float(second), with_hand(astronaut, 2 * second))
        if not gate.is_same(now, 1):
            age = second - (noticed[-1] if noticed else 0)
            assert age <= MAX_AGE
            noticed.append(second)
            detected(gate, now)
    assert len(noticed) >= 39 // MAX_AGE


def test_a_hand_that_comes_in_is_noticed_at_once_and_looked_at_closely(astronaut: Pixels) -> None:
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut))
    assert not gate.needs_close_view(scene(2.0, astronaut))
    now = scene(2.0, with_hand(astronaut, 80))
    assert not gate.is_same(now, 1)
    assert gate.needs_close_view(now)


def test_hands_that_keep_moving_are_looked_at_closely_every_other_time(astronaut: Pixels) -> None:
    gate, close = ObjectGate(), []
    for second in range(6):
        now = scene(float(second), with_hand(astronaut, 80, left=140 + 60 * second))
        assert not gate.is_same(now, 1)
        close.append(gate.needs_close_view(now))
        gate.requested(now, 1, close=close[-1])
        gate.applied(now.time, ALONE)
    assert close == [True, False, True, False, True, False]


def test_somebody_who_enters_at_the_edge_is_noticed_without_a_closer_look(
    astronaut: Pixels,
) -> None:
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut))
    entering = astronaut.copy()
    entering[100:400, 590:] = 20
    now = scene(1.0, entering)
    assert not gate.is_same(now, 1)
    assert not gate.needs_close_view(now)


def test_a_lost_or_another_candidate_is_looked_at(astronaut: Pixels) -> None:
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut))
    now = scene(1.0, astronaut)
    assert not gate.is_same(now, None)
    assert not gate.is_same(now, 2)


def test_a_detection_that_failed_is_made_again(astronaut: Pixels) -> None:
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut))
    gate.requested(scene(5.0, astronaut), 1, close=True)
    assert not gate.is_same(scene(6.0, astronaut), 1)


def test_now_and_then_it_is_looked_closely_at_an_unchanged_picture(astronaut: Pixels) -> None:
    gate = ObjectGate()
    detected(gate, scene(0.0, astronaut))
    assert not gate.needs_close_view(scene(MAX_CLOSE_AGE - 1, astronaut))
    assert gate.needs_close_view(scene(MAX_CLOSE_AGE, astronaut))


def test_time_that_goes_back_trusts_nothing(astronaut: Pixels) -> None:
    gate = ObjectGate()
    detected(gate, scene(10.0, astronaut))
    assert not gate.is_same(scene(4.0, np.array(astronaut)), 1)
