from __future__ import annotations

import numpy as np
import pytest

from proctoring.vision.frame import Pixels
from proctoring.vision.frame_change import EarlierSamples, mean_differences, sample_pixels

from .moving import with_noise


def test_the_same_picture_again_is_exactly_nothing(astronaut: Pixels) -> None:
    sample = sample_pixels(astronaut)
    assert mean_differences([sample, sample], sample_pixels(astronaut.copy())).tolist() == [
        0.0,
        0.0,
    ]


@pytest.mark.parametrize("strength", [1.0, 3.0])
def test_sensor_noise_is_a_change(astronaut: Pixels, strength: float) -> None:
    noisy = with_noise(astronaut, np.random.default_rng(1), strength)
    (change,) = mean_differences([sample_pixels(astronaut)], sample_pixels(noisy))
    assert 0.3 * strength < change < 3 * strength


def test_a_few_hundred_to_some_thousand_pixels_stand_for_any_picture() -> None:
    for height, width in ((480, 640), (32, 48), (2160, 3840), (1080, 1920)):
        assert 500 < sample_pixels(np.zeros((height, width, 3), np.uint8)).size < 5000


def test_the_nearest_of_the_latest_samples_is_found_though_most_are_compared_in_part() -> None:
    generator, kept = np.random.default_rng(2), 7
    earlier, samples = EarlierSamples(kept), []
    for n in range(3 * kept):
        sample = generator.integers(0, 765, (30, 40)).astype(np.int16)
        sample[::2] = 400  # a part that never changes
        earlier.add(sample)
        samples.append(sample)
        now = samples[max(0, n - kept + 1 - n % 2)].copy()  # kept, or just dropped
        now[3, 5:9] += 3
        differences = mean_differences(samples[-kept:], now)
        for limit in (0.0, 0.005, 0.05, 100.0):
            assert earlier.has_nearer(now, limit) == (differences.min() < limit)
