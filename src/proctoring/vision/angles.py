"""Angles in degrees on the circle."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def difference(angle: float, reference: float) -> float:
    """``angle - reference``, in (-180, 180]."""
    turned = (angle - reference) % 360
    return turned - 360 if turned > 180 else turned


def circular_median(angles: Sequence[float]) -> float:
    """The median, taken around the first angle so that 179 and -179 are two degrees apart.

    Right for angles within half a turn of each other, which poses of one head are. In (-180, 180].
    """
    first = angles[0]
    return difference(first + median(difference(angle, first) for angle in angles), 0)
