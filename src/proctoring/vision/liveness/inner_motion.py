"""Measures movement within a face, which a photo that is moved about as a whole lacks.

Measured are the irises and lids (eye widths), the lips (mouth widths) and the nose against the eyes (eye
distances, so that a turning head counts too). All are independent of where the face is, how large it is
and how it is tilted in the picture; a sheet tilted by a few degrees changes them less than the noise of
the landmarks, .02 to .04 (docs/accuracy.md).
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.eyes import EyeShape
from proctoring.vision.landmarks import Mesh

WINDOW_SECONDS = 10.0
"""Time over which movement is measured."""
_MIN_SECONDS = 4.0
"""Time that must have been seen of it."""
_PERIOD = 0.09
"""Seconds between two samples, at least."""
_LOW, _HIGH = 3, 97
"""Percentiles between which a measure is said to vary: a glance of a third of a second counts, single
misplaced landmarks do not."""
_LANDMARKS = [33, 263, 1, 61, 291, 13, 14]
"""Outer corners of the right and the left eye, nose, corners of the lips, inner lips."""
_LIPS_WEIGHT = 0.5
"""Lips count half: the landmarks of parted lips in a moved photo tremble by up to .08 mouth widths, twice
as much as the others; speech moves them by .2 to .6."""
_MIN_PIXELS = 1.0
"""Distance of eyes or lip corners in pixels below which nothing is measured."""


class InnerMotion:
    """The recent movement within one tracked face."""

    def __init__(self, history: NDArray[np.float64] | None = None) -> None:
        self._samples: deque[tuple[float, tuple[float, ...]]] = deque()
        if history is not None:
            self._samples.extend((time, tuple(values)) for time, *values in history.tolist())

    @property
    def history(self) -> NDArray[np.float64]:
        """For a snapshot: (n, 7) times and measures."""
        return np.array([(time, *measures) for time, measures in self._samples], np.float64)

    def update(self, time: float, mesh: Mesh, eyes: EyeShape) -> None:
        """Add the landmarks of one frame; times must rise."""
        if self._samples and time - self._samples[-1][0] < _PERIOD:
            return
        measures = _measures(mesh, eyes)
        if measures is None:
            return
        self._samples.append((time, measures))
        while time - self._samples[0][0] > WINDOW_SECONDS:
            self._samples.popleft()

    @property
    def extent(self) -> float | None:
        """How far the measure that moved most moved within the last 4 to 10 s; ``None``: seen for less."""
        samples = self._samples
        if not samples or samples[-1][0] - samples[0][0] < _MIN_SECONDS:
            return None
        values = np.array([measures for _, measures in samples])
        low, high = np.percentile(values, (_LOW, _HIGH), axis=0)
        return float((high - low).max())


def _measures(mesh: Mesh, eyes: EyeShape) -> tuple[float, ...] | None:
    points: list[list[float]] = mesh[_LANDMARKS, :2].tolist()
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y), *lips = points
    distance = math.hypot(left_x - right_x, left_y - right_y)
    mouth = math.dist(lips[0], lips[1])
    if min(distance, mouth) < _MIN_PIXELS:
        return None
    across_x, across_y = (left_x - right_x) / distance, (left_y - right_y) / distance
    from_eyes_x = (nose_x - (left_x + right_x) / 2) / distance
    from_eyes_y = (nose_y - (left_y + right_y) / 2) / distance
    return (
        eyes.iris_across,
        eyes.iris_down,
        eyes.aperture,
        _LIPS_WEIGHT * math.dist(lips[2], lips[3]) / mouth,
        from_eyes_x * across_x + from_eyes_y * across_y,
        from_eyes_y * across_x - from_eyes_x * across_y,
    )
