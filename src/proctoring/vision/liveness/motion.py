"""Measures the movement of a face: its parallax, which a flat sheet lacks, and how far it travels.

Parallax: between two views of a flat sheet all points move by one affine map (nearly); between two views
of a head, nose, cheeks and ears move relative to each other. The residual of the best affine map is
divided by the angle by which a sheet would have turned to be distorted as that map does.

Travel: no person holds the head still to a hundredth of the distance between the eyes for ten seconds; a
photograph does.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.landmarks import Mesh

_RIGID = [
    *(1, 2, 4, 5, 6, 168, 197, 195, 8, 9, 151, 10, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251),
    *(162, 389, 127, 356, 234, 454, 93, 323, 116, 345, 117, 346, 50, 280, 101, 330, 36, 266, 48),
    *(278, 98, 327, 122, 351, 193, 417),
]
"""Landmarks of nose, forehead, temples and cheekbones, which neither speech nor expressions move."""
_RIGHT_EYE, _LEFT_EYE = 33, 263
_POSITION = [1, 33, 263, 152, 10, 454, 234]
"""Landmarks whose mean is the position of the face."""
_MIN_EYES = 1.0
"""Distance between the eyes in pixels below which a face is not measured."""

MIN_TURN = 22.0
"""Degrees of apparent turn from which a pair of views is used: below, the noise of the landmarks looks
like a flat sheet (docs/accuracy.md)."""
_VIEW_PERIOD, _VIEW_SECONDS = 0.5, 20.0
"""Seconds between two views, and their greatest age."""
_MIN_PAIRS = 6
"""Pairs of views from which parallax is measured."""
_POSITION_PERIOD = 0.2
"""Seconds between two positions."""
TRAVEL_SECONDS = 10.0
"""Time over which travel is measured."""
_EARLY = 0.9
"""Share of a period after which the next view or position may be taken, since frames jitter."""
_FULL = 0.95
"""Share of ``TRAVEL_SECONDS`` that positions must span."""

Points = NDArray[np.float32]
"""(n, 2) x and y in frame pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """The rigid landmarks in one frame, ready to be compared with later ones."""

    time: float
    landmarks: Points
    points: NDArray[np.float64]
    """(n, 2) around their mean, in frame pixels."""
    inverse: NDArray[np.float64]
    """(2, n) pseudo-inverse of ``points``: times a later view's points, the best linear map to them."""
    eyes: float
    """Distance between the eyes in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class MotionHistory:
    """The recent movement of one face."""

    times: NDArray[np.float64]
    """(n,) of the views."""
    landmarks: NDArray[np.float32]
    """(n, points, 2) of the views, in frame pixels."""
    eyes: NDArray[np.float64]
    """(n,) distances between the eyes in the views."""
    pairs: NDArray[np.float64]
    """(n, 2) ``Motion._pairs``."""
    positions: NDArray[np.float64]
    """(n, 4) ``Motion._positions``."""


class Motion:
    """The recent movement of one tracked face."""

    def __init__(self, history: MotionHistory | None = None) -> None:
        self._views: deque[_View] = deque()
        self._pairs: deque[tuple[float, float]] = deque()
        """Time of the later view, and parallax."""
        self._positions: deque[tuple[float, float, float, float]] = deque()
        """Time; x, y and distance between the eyes in pixels."""
        if history is not None:
            times, eyes = history.times.tolist(), history.eyes.tolist()
            self._views.extend(map(_view, times, history.landmarks, eyes))
            self._pairs.extend((time, value) for time, value in history.pairs.tolist())
            self._positions.extend((t, x, y, e) for t, x, y, e in history.positions.tolist())

    @property
    def history(self) -> MotionHistory:
        """For a snapshot."""
        views = self._views
        return MotionHistory(
            np.array([view.time for view in views], np.float64),
            np.array([view.landmarks for view in views], np.float32),
            np.array([view.eyes for view in views], np.float64),
            np.array(self._pairs, np.float64).reshape(-1, 2),
            np.array(self._positions, np.float64).reshape(-1, 4),
        )

    def update(self, time: float, mesh: Mesh) -> None:
        """Add the landmarks of one frame; times must rise."""
        eyes = math.dist(mesh[_LEFT_EYE, :2].tolist(), mesh[_RIGHT_EYE, :2].tolist())
        if eyes < _MIN_EYES:
            return
        if not self._positions or time - self._positions[-1][0] >= _POSITION_PERIOD * _EARLY:
            x, y = mesh[_POSITION, :2].mean(axis=0)
            self._positions.append((time, float(x), float(y), eyes))
            while time - self._positions[0][0] > TRAVEL_SECONDS + _POSITION_PERIOD:
                self._positions.popleft()
        if not self._views or time - self._views[-1].time >= _VIEW_PERIOD * _EARLY:
            self._compare(_view(time, mesh[_RIGID, :2], eyes))

    def _compare(self, view: _View) -> None:
        for earlier, turn, residual in _compare_views(self._views, view):
            distance = max(view.eyes, earlier.eyes)
            self._pairs.append((view.time, residual / distance / turn))
        self._views.append(view)
        while view.time - self._views[0].time > _VIEW_SECONDS:
            self._views.popleft()
        while self._pairs and view.time - self._pairs[0][0] > _VIEW_SECONDS:
            self._pairs.popleft()

    @property
    def parallax(self) -> float | None:
        """How much the parts of the face move relative to each other, in eye distances per degree of turn.

        About 0.0005 for a flat sheet, 0.003 for a head. ``None``: not turned far enough in the last 20 s.
        """
        if len(self._pairs) < _MIN_PAIRS:
            return None
        return float(np.median([value for _, value in self._pairs]))

    @property
    def travel(self) -> float | None:
        """How far the face travelled within the last 10 s, in eye distances.

        ``None``: tracked for less than that.
        """
        positions = self._positions
        if not positions or positions[-1][0] - positions[0][0] < TRAVEL_SECONDS * _FULL:
            return None
        track = np.array([position[1:3] for position in positions])
        eyes = float(np.mean([position[3] for position in positions]))
        return float(np.ptp(track, axis=0).max()) / eyes


def _view(time: float, landmarks: Points, eyes: float) -> _View:
    points = landmarks.astype(np.float64)
    points -= points.mean(axis=0)
    inverse = np.asarray(np.linalg.pinv(points), np.float64)
    return _View(time, landmarks, points, inverse, eyes)


def affine_residual(before: Points, after: Points) -> tuple[float, float]:
    """Fit the best affine map from one view of the same points to another.

    Returns:
        Degrees by which a flat sheet would have turned to be distorted as the map does, and the root mean
        square residual in pixels.
    """
    ((_, turn, residual),) = _compare_views([_view(0.0, before, 1.0)], _view(0.0, after, 1.0), 0.0)
    return turn, residual


def _compare_views(
    earlier: Sequence[_View], view: _View, min_turn: float = MIN_TURN
) -> Iterator[tuple[_View, float, float]]:
    """The earlier views against which a view has turned by ``min_turn``, each with the results of
    ``affine_residual``. All at once: one by one, their fits cost a millisecond per frame."""
    if not earlier:
        return
    maps = np.concatenate([one.inverse for one in earlier]) @ view.points
    for one, (a, b, c, d) in zip(earlier, maps.reshape(-1, 4).tolist(), strict=True):
        # The singular values of the map: the sum of their squares, and their product.
        squares, product = a * a + b * b + c * c + d * d, abs(a * d - b * c)
        difference = math.hypot(a * a + b * b - c * c - d * d, 2 * (a * c + b * d))
        greater = (squares + difference) / 2
        turn = math.degrees(math.acos(min(1.0, product / greater))) if greater > 0 else 0.0
        if turn >= min_turn:
            fitted = one.points @ np.array(((a, b), (c, d)))
            residual = math.sqrt(((fitted - view.points) ** 2).sum() / len(fitted))
            yield one, turn, residual if greater > 0 else 0.0
