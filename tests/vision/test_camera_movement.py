"""Camera movement, detected by the background."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.observations import Box
from proctoring.vision.camera_movement import CameraMovementDetector
from proctoring.vision.frame import Frame, Pixels

from .conftest import photograph, warp

FACE = Box(260, 150, 360, 280)


def room(across: float = 0.0, light: float = 1.0) -> Pixels:
    """A background with things in it, as a camera turned aside by so many pixels sees it."""
    picture = warp(photograph("coffee"), shift=(across, 0.0), scale=1.5)
    return np.asarray(np.clip(picture * light, 0, 255), np.uint8)


def moved(pictures: list[Pixels], faces: list[Box] | None = None) -> list[bool]:
    watch = CameraMovementDetector()
    return [
        watch.update(Frame(0.0, pixels), [FACE] if faces is None else faces).moved
        for pixels in pictures
    ]


def test_a_camera_at_rest_is_not_moved() -> None:
    assert not any(moved([room()] * 20))


@pytest.mark.parametrize("across", [-110, 110, 200])
def test_a_lasting_shift_of_the_background_is_reported_once(across: float) -> None:
    told = moved([room()] * 5 + [room(across)] * 10)

    assert told.count(True) == 1
    assert 6 <= told.index(True) <= 8


def test_light_that_comes_and_goes_is_no_move() -> None:
    assert not any(moved([room(light=0.5 + 0.5 * (step % 2)) for step in range(20)]))


def test_something_that_passes_is_no_move() -> None:
    assert not any(moved([room()] * 5 + [room(150)] * 2 + [room()] * 5))


def test_a_camera_that_still_swings_is_not_at_rest_yet() -> None:
    swinging = [room(140 * (-1) ** step) for step in range(10)]

    assert not any(moved([room(), *swinging]))


def test_a_plain_wall_says_nothing() -> None:
    wall, other = (np.full((480, 640, 3), level, np.uint8) for level in (90, 200))

    assert not any(moved([wall] * 5 + [other] * 10))


def test_a_person_who_fills_the_picture_hides_the_background() -> None:
    near = [Box(60, 40, 580, 460)]

    assert not any(moved([room()] * 5 + [room(110)] * 10, near))


def test_a_person_who_moves_is_no_move_of_the_camera() -> None:
    watch = CameraMovementDetector()
    for step in range(20):
        pixels = room()
        left = 100 + 18 * step
        pixels[120:, left : left + 140] = 30
        assert not watch.update(Frame(0.0, pixels), [Box(left + 35, 130, left + 105, 220)]).moved


def test_a_person_who_turned_away_still_hides_the_background() -> None:
    watch = CameraMovementDetector()
    filled = room()
    filled[60:, 120:520] = np.random.default_rng(0).integers(0, 255, (420, 400, 1))
    person = Box(120, 60, 520, 480)
    assert not any(watch.update(Frame(0.0, filled), [FACE]).moved for _ in range(5))
    filled = filled.copy()
    filled[60:, 120:520] = 255 - filled[60:, 120:520]  # the back of the head, another shirt
    assert not any(watch.update(Frame(0.0, filled), [], [person]).moved for _ in range(10))


def test_how_like_the_background_is_what_it_was_is_said() -> None:
    watch = CameraMovementDetector()
    watch.update(Frame(0.0, room()), [FACE])
    same, other = (
        watch.update(Frame(0.0, room()), [FACE]),
        watch.update(Frame(0.0, room(150)), [FACE]),
    )
    assert same.similarity is not None
    assert other.similarity is not None
    assert same.similarity > 0.95 > 0.5 > other.similarity
