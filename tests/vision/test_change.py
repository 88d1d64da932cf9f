"""How much small grey copies differ, against the camera's noise."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.vision.change import BLOCK, Noise, block_differences

PICTURE = np.random.default_rng(1).integers(60, 180, (120, 160)).astype(np.uint8)


def test_equal_pictures_do_not_differ_and_lamps_are_no_difference() -> None:
    assert block_differences(PICTURE, PICTURE).shape == (120 // BLOCK, 160 // BLOCK)
    assert not block_differences(PICTURE, PICTURE).any()
    assert not block_differences(PICTURE, PICTURE + np.uint8(9)).any()


def test_what_moves_differs_where_it_is() -> None:
    moved = PICTURE.copy()
    moved[16:24, 32:40] += 10
    differences = block_differences(PICTURE, moved)
    assert differences[2, 4] == pytest.approx(100)
    assert np.count_nonzero(differences) == 1


@pytest.mark.parametrize("shape", [(60, 160), (120, 80)])
def test_pictures_of_two_sizes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        block_differences(PICTURE, np.zeros(shape, np.uint8))


def test_pictures_smaller_than_a_block_are_refused() -> None:
    with pytest.raises(ValueError, match="smaller than a block"):
        block_differences(PICTURE[:4], PICTURE[:4])


def noise_of(*differences: float) -> float | None:
    noise = Noise()
    for difference in differences:
        noise.add(difference)
    return noise.level


def test_noise_is_the_low_end_of_recent_differences() -> None:
    assert noise_of(2.0) is None  # too early
    moving = [2.0 if count % 3 else 90.0 for count in range(60)]  # every third frame shows movement
    assert noise_of(*moving) == 2.0
    assert noise_of(*moving, *([5.0] * 60)) == 5.0  # the room gets darker
