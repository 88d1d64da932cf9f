"""Arithmetic of angles in degrees."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def difference(angle: float, reference: float) -> float:
    """``angle - reference``, in (-180, 180]."""
    turned = (angle - reference) % 360
    return turned - 360 if turned > 180 else turned


def circular_median(angles: Sequence[float]) -> float:
    """The median on the circle, in (-180, 180]: 179 and -179 are two degrees apart.

    Correct for angles that lie within 180 degrees of the first one, as poses of one head do.
    """
    first = angles[0]
    return difference(first + median(difference(angle, first) for angle in angles), 0)
