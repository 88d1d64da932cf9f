"""Angles on the circle."""

from __future__ import annotations

import pytest

from proctoring.vision.angles import circular_median, difference


@pytest.mark.parametrize(
    ("angle", "reference", "expected"),
    [(10, 350, 20), (350, 10, -20), (-179, 179, 2), (179, -179, -2), (0, 180, 180), (5, 5, 0)],
)
def test_the_difference_is_the_shorter_way_round(
    angle: float, reference: float, expected: float
) -> None:
    assert difference(angle, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("angles", "expected"),
    [([179, -179, -178], -179), ([1, 2, 90], 2), ([-170, 175, 178], 178), ([4], 4)],
)
def test_the_median_does_not_break_at_half_a_turn(angles: list[float], expected: float) -> None:
    assert circular_median(angles) == pytest.approx(expected)
