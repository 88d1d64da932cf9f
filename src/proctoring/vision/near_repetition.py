"""Finds a stretch of a stream that nearly repeats an earlier one: a recording that is played again and
again, encoded anew each time.

Pictures are remembered as thumbnails, and each new one is compared with all of them. That is most of the
cost of looking for injected streams, so everything else is done on running sums: by lag, of how far the
latest pictures are from those so many updates earlier.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Luma
from proctoring.vision.frame_change import THUMBNAIL_SIZE, luma_thumbnail

SAMPLE_PERIOD = 0.2
"""Seconds between two updates."""
MEMORY_SECONDS = 120.0
"""Length of the longest loop that is found."""
_MEMORY = int(MEMORY_SECONDS / SAMPLE_PERIOD)
_STEPS_PER_LEVEL = 64
"""Thumbnails are stored in 1/64 of a grey level: averages are finer than single pixels."""
_ONES = np.ones(THUMBNAIL_SIZE, np.float32)
_WINDOW = 30
"""Updates (6 s) that must repeat an earlier stretch."""
_IN_LEVELS = 1 / (_WINDOW * THUMBNAIL_SIZE * _STEPS_PER_LEVEL)
"""Makes a mean distance in grey levels of the sum over a window."""
_MIN_LAG = 10
"""Shortest lag in updates (2 s): shorter repetitions are breathing, blinking and nodding."""
_FIRST_LAG = 2
"""The lag of the first entry of ``Update.near``."""
_MIN_MOVEMENT = 0.6
"""Mean deviation of thumbnails within the window, in grey levels, below which nothing is concluded: a
person who sits still always resembles the seconds before."""
_MAX_LOOP_DISTANCE = 0.3
"""Distance to the earlier stretch over the window's own deviation, below which it is a repetition. Loops
gave 0.06 to 0.20 (0.5 for very fast movement), people recorded once never less than 0.81."""
_RHYTHM = 0.5
"""The same ratio at lags shorter than the window, below which the person is rocking or nodding; or it
is a loop shorter than the window, which cannot be distinguished from that."""

Thumbnail = NDArray[np.int16]
"""(192,) in steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """One picture, compared with those before it."""

    thumbnail: Thumbnail
    near: NDArray[np.int32]
    """Sums of differences, in steps, to earlier thumbnails, by lag: of each lag and its two neighbours the
    smallest, since the length of a loop is no multiple of the sample period."""


@dataclass(frozen=True, slots=True, eq=False)
class NearRepetitionPictures:
    """All that is remembered. Without it, a loop is found when it has been seen once more."""

    thumbnails: NDArray[np.int16]
    """(n, 192), those known, in a ring."""
    updates: int
    """How many were added."""
    window: tuple[Update, ...]


class NearRepetition:
    """The thumbnails of one session's last two minutes, in a quarter of a megabyte."""

    def __init__(self, pictures: NearRepetitionPictures | None = None) -> None:
        self._memory = np.zeros((_MEMORY, THUMBNAIL_SIZE), np.int16)
        self._updates = 0
        self._window: deque[Update] = deque()
        self._sums = np.zeros(_MEMORY, np.int32)
        """Of ``Update.near`` over the window; of a lag that not all of them have, of those that do."""
        if pictures is not None:
            self._memory[: len(pictures.thumbnails)] = pictures.thumbnails
            self._updates = pictures.updates
            self._window.extend(pictures.window)
            for update in self._window:
                self._sums[: update.near.size] += update.near

    @property
    def pictures(self) -> NearRepetitionPictures:
        """For a snapshot."""
        known = min(self._updates, _MEMORY)
        return NearRepetitionPictures(
            self._memory[:known].copy(), self._updates, tuple(self._window)
        )

    def clear(self) -> None:
        """Forget everything."""
        self._memory[:] = 0
        self._updates = 0
        self._window.clear()
        self._sums[:] = 0

    def update(self, luma: Luma) -> float | None:
        """Add one picture, ``SAMPLE_PERIOD`` after the last.

        Returns:
            The lag in seconds at which the whole window repeats an earlier stretch; ``None``: none.
        """
        thumbnail = np.rint(luma_thumbnail(luma) * _STEPS_PER_LEVEL).astype(np.int16)
        at = self._updates % _MEMORY
        if len(self._window) == _WINDOW:
            oldest = self._window.popleft().near
            self._sums[: oldest.size] -= oldest
        near = self._near(thumbnail, at)
        self._sums[: near.size] += near
        self._window.append(Update(thumbnail, near))
        self._memory[at] = thumbnail
        self._updates += 1
        return self._lag()

    def _near(self, thumbnail: Thumbnail, at: int) -> NDArray[np.int32]:
        """``Update.near`` of a thumbnail that will be stored in this place."""
        known = min(self._updates, _MEMORY)
        changes = self._memory[:known] - thumbnail
        np.abs(changes, out=changes)
        # Sums of whole numbers below 2 ** 24 are exact in 32 bit floats, in any order.
        stored = (changes.astype(np.float32) @ _ONES).astype(np.int32)
        by_lag = np.concatenate((stored[:at][::-1], stored[at:][::-1]))
        return np.minimum(by_lag[1:-1], np.minimum(by_lag[:-2], by_lag[2:]))

    def _lag(self) -> float | None:
        if len(self._window) < _WINDOW:
            return None
        sums = self._sums[: self._window[0].near.size]
        shorter = sums[_MIN_LAG - _FIRST_LAG : _WINDOW - _FIRST_LAG]
        longer = sums[_WINDOW - _FIRST_LAG :]
        if longer.size == 0:
            return None
        best = int(longer.argmin())
        nearest, rhythm = float(longer[best]), float(shorter.min())
        if nearest * _RHYTHM >= rhythm * _MAX_LOOP_DISTANCE:
            return None  # whatever the movement, one of the two ratios is no loop's
        thumbnails = np.stack([update.thumbnail for update in self._window]) / _STEPS_PER_LEVEL
        movement = float(np.abs(thumbnails - thumbnails.mean(axis=0)).mean())
        if movement < _MIN_MOVEMENT or rhythm * _IN_LEVELS < _RHYTHM * movement:
            return None
        if nearest * _IN_LEVELS >= _MAX_LOOP_DISTANCE * movement:
            return None
        return (best + _WINDOW) * SAMPLE_PERIOD
