"""The camera's noise, by the differences of its pictures."""

from __future__ import annotations

from proctoring.vision.noise import Noise


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
