"""A photo in the place of a face that rested."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.observations import Box
from proctoring.vision.face_swap import FaceSwap
from proctoring.vision.frame import Frame, Pixels

from .conftest import warp
from .moving import with_noise

FACE = Box(245, 90, 335, 200)


def swaps(pictures: list[Pixels], rate: float = 10.0, face: Box | None = FACE) -> list[int]:
    """Numbers of the frames in which the face is another picture."""
    swap, generator = FaceSwap(), np.random.default_rng(0)
    return [
        n
        for n, picture in enumerate(pictures)
        if swap.update(Frame(n / rate, with_noise(picture, generator, 3)), face)
    ]


@pytest.mark.parametrize("rate", [10.0, 4.0])
def test_another_picture_is_noticed_in_its_first_frame(astronaut: Pixels, rate: float) -> None:
    photo = warp(astronaut, scale=0.92, shift=(3.0, -2.0))
    assert swaps([astronaut] * 15 + [photo] * 15, rate) == [15]


def test_a_face_that_sways_turns_to_the_light_or_is_lit_anew_is_not_replaced(
    astronaut: Pixels,
) -> None:
    swaying = [warp(astronaut, shift=(0.4 * n, 0.0)) for n in range(20)]
    brighter = np.clip(astronaut.astype(float) + 30, 0, 255).astype(np.uint8)
    assert swaps([astronaut] * 15 + swaying) == []
    assert swaps([astronaut] * 15 + [brighter] * 5) == []


def test_a_face_that_moves_all_the_time_is_left_to_the_schedule(astronaut: Pixels) -> None:
    moving = [warp(astronaut, shift=(12.0 * (n % 2), 0.0)) for n in range(30)]
    assert swaps(moving) == []


def test_without_a_face_or_after_a_gap_there_is_nothing_to_compare(astronaut: Pixels) -> None:
    photo = warp(astronaut, scale=0.8)
    assert swaps([astronaut] * 15 + [photo], face=None) == []
    swap = FaceSwap()
    for n in range(15):
        swap.update(Frame(n / 10, astronaut), FACE)
    assert not swap.update(Frame(4.0, photo), FACE)
    assert not FaceSwap().update(Frame(0.0, photo), FACE)
