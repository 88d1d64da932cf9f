"""Measures movement within a face, which a photo that is moved about as a whole lacks.

Measured are the irises and lids (eye widths), the lips (mouth widths) and the nose against the eyes (eye
distances, so that a turning head counts too). All are independent of where the face is, how large it is
and how it is tilted in the picture; a sheet tilted by a few degrees changes them less than the noise of
the landmarks, .02 to .04 (docs/accuracy.md).
"""

from __future__ import annotations

from collections import deque

import numpy as np

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
_RIGHT_EYE, _LEFT_EYE, _NOSE = 33, 263, 1
_LIP_CORNERS, _INNER_LIPS = (61, 291), (13, 14)
_LIPS_WEIGHT = 0.5
"""Lips count half: the landmarks of parted lips in a moved photo tremble by up to .08 mouth widths, twice
as much as the others; speech moves them by .2 to .6."""
_MIN_PIXELS = 1.0
"""Distance of eyes or lip corners in pixels below which nothing is measured."""


class InnerMotion:
    """The recent movement within one tracked face."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, tuple[float, ...]]] = deque()

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
    across = mesh[_LEFT_EYE, :2] - mesh[_RIGHT_EYE, :2]
    distance = float(np.hypot(*across))
    mouth = float(np.hypot(*(mesh[_LIP_CORNERS[1], :2] - mesh[_LIP_CORNERS[0], :2])))
    if min(distance, mouth) < _MIN_PIXELS:
        return None
    across = across / distance
    nose = (mesh[_NOSE, :2] - (mesh[_LEFT_EYE, :2] + mesh[_RIGHT_EYE, :2]) / 2) / distance
    lips = float(np.hypot(*(mesh[_INNER_LIPS[1], :2] - mesh[_INNER_LIPS[0], :2])))
    return (
        eyes.iris_across,
        eyes.iris_down,
        eyes.aperture,
        _LIPS_WEIGHT * lips / mouth,
        float(nose @ across),
        float(nose @ np.array([-across[1], across[0]])),
    )
