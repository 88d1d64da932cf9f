"""Sameness, noise and movement."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.vision.frame import Pixels
from proctoring.vision.frame_change import frame_change, sample_pixels

from .conftest import warp
from .moving import with_noise


def test_the_same_picture_has_not_changed_at_all(astronaut: Pixels) -> None:
    change = frame_change(sample_pixels(astronaut), sample_pixels(astronaut.copy()))
    assert (change.mean, change.share) == (0.0, 0.0)


def test_a_cameras_noise_is_a_change(astronaut: Pixels) -> None:
    generator = np.random.default_rng(0)
    noisy = [sample_pixels(with_noise(astronaut, generator, 1.0)) for _ in range(2)]
    assert 0.2 < frame_change(*noisy).mean < 2


def test_movement_changes_a_share_of_the_picture(astronaut: Pixels) -> None:
    moved = warp(astronaut, shift=(6.0, 0.0))
    assert frame_change(sample_pixels(astronaut), sample_pixels(moved)).share > 0.2


@pytest.mark.parametrize("size", [(1, 1), (240, 320), (1080, 1920)])
def test_pictures_of_any_size_are_sampled(size: tuple[int, int]) -> None:
    sample = sample_pixels(np.zeros((*size, 3), np.uint8))
    assert 1 <= sample.size <= 240 * 180


def test_another_size_is_another_picture(astronaut: Pixels) -> None:
    assert frame_change(sample_pixels(astronaut), sample_pixels(astronaut[:100])).mean == 255
