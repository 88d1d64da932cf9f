"""What the movement of a face tells: whether it moves as a flat sheet does, and whether it moves.

Flat: between two views of a sheet every point moves by one affine map (nearly); between two views
of a head the nose, the cheeks and the ears part. What is left after the best affine map is compared
with how strongly the map itself distorts, read as the angle by which a sheet would have turned.

Motionless: nobody holds the head still to a hundredth of the distance of the eyes for ten seconds;
a photograph does.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.landmarks import Mesh

_RIGID = [
    *(1, 2, 4, 5, 6, 168, 197, 195, 8, 9, 151, 10, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251),
    *(162, 389, 127, 356, 234, 454, 93, 323, 116, 345, 117, 346, 50, 280, 101, 330, 36, 266, 48),
    *(278, 98, 327, 122, 351, 193, 417),
]
"""Nose, forehead, temples, cheekbones: what neither speech nor a frown moves."""
_RIGHT_EYE, _LEFT_EYE = 33, 263
_PLACE = [1, 33, 263, 152, 10, 454, 234]
"""Points whose middle is the face's place: it travels when the head does."""

MIN_TURN = 22.0
"""Degrees of apparent turn from which a pair of views tells anything: below, the landmarks' own
noise looks like a flat sheet (measured: docs/accuracy.md)."""
_FLAT_PERIOD, _FLAT_SECONDS = 0.5, 20.0
_FLAT_PAIRS = 6
_PLACE_PERIOD = 0.2
PLACE_SECONDS = 10.0

Points = NDArray[np.float32]


class Motion:
    """The recent movement of one followed face."""

    def __init__(self) -> None:
        self._views: deque[tuple[float, Points, float]] = deque()
        self._pairs: deque[tuple[float, float]] = deque()
        self._places: deque[tuple[float, float, float, float]] = deque()

    def update(self, time: float, mesh: Mesh) -> None:
        """Take in the landmarks of one frame; times rise."""
        eyes = float(np.hypot(*(mesh[_LEFT_EYE, :2] - mesh[_RIGHT_EYE, :2])))
        if eyes < 1:
            return
        if not self._places or time - self._places[-1][0] >= _PLACE_PERIOD * 0.9:
            x, y = mesh[_PLACE, :2].mean(axis=0)
            self._places.append((time, float(x), float(y), eyes))
            while time - self._places[0][0] > PLACE_SECONDS + _PLACE_PERIOD:
                self._places.popleft()
        if not self._views or time - self._views[-1][0] >= _FLAT_PERIOD * 0.9:
            self._compare(time, mesh[_RIGID, :2].copy(), eyes)

    def _compare(self, time: float, view: Points, eyes: float) -> None:
        for _, earlier, earlier_eyes in self._views:
            turn, rest = affine_residual(earlier, view)
            if turn >= MIN_TURN:
                self._pairs.append((time, rest / max(eyes, earlier_eyes) / turn))
        self._views.append((time, view, eyes))
        while time - self._views[0][0] > _FLAT_SECONDS:
            self._views.popleft()
        while self._pairs and time - self._pairs[0][0] > _FLAT_SECONDS:
            self._pairs.popleft()

    @property
    def depth(self) -> float | None:
        """How much the face's parts move apart when it turns, in eye distances per degree.

        About .0005 for a flat sheet, .003 for a head. ``None`` until it turned far enough in the
        last 20 s.
        """
        if len(self._pairs) < _FLAT_PAIRS:
            return None
        return float(np.median([value for _, value in self._pairs]))

    @property
    def sway(self) -> float | None:
        """How far the face travelled within the last 10 s, in eye distances.

        ``None`` before it was watched so long without a break.
        """
        if not self._places or self._places[-1][0] - self._places[0][0] < PLACE_SECONDS * 0.95:
            return None
        track = np.array([place[1:3] for place in self._places])
        eyes = float(np.mean([place[3] for place in self._places]))
        return float(np.ptp(track, axis=0).max()) / eyes


def affine_residual(before: Points, after: Points) -> tuple[float, float]:
    """The best affine map from one view of points (n, 2) to another.

    Returns:
        The degrees by which a sheet would have turned to be distorted so, and the root mean square
        of what the map leaves over, in pixels.
    """
    centre = before.mean(axis=0)
    ones = np.column_stack([before - centre, np.ones(len(before), np.float32)])
    moved = (after - after.mean(axis=0)).astype(np.float64)
    solution, *_ = np.linalg.lstsq(ones.astype(np.float64), moved, rcond=None)
    strengths = np.linalg.svd(solution[:2], compute_uv=False)
    if strengths[0] <= 0:
        return 0.0, 0.0
    turn = float(np.degrees(np.arccos(min(1.0, float(strengths[1] / strengths[0])))))
    rest = ones @ solution - moved
    return turn, float(np.sqrt((rest**2).sum(axis=1).mean()))
