"""Signs that a stream does not come from a camera: it stands still, or repeats itself.

A stream of one picture, or of a short recording played again and again, is told by what it does in
time. A long recording of a living person, played once, is not told by anything here: see
``docs/accuracy.md``.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.observations import StreamSigns
from proctoring.vision.frame import Pixels
from proctoring.vision.frame_change import Sample, frame_change, sample_pixels

PERIOD = 0.2
"""Seconds between two looks."""
MEMORY_SECONDS = 120.0
"""The longest loop that is found."""
_MEMORY = int(MEMORY_SECONDS / PERIOD)
_WINDOW = 30
"""Looks (6 s) that must repeat an earlier stretch."""
_SHORTEST = 10
"""Looks (2 s): shorter repetitions are breathing, blinking and nodding."""
_WIDTH, _HEIGHT = 16, 12
_FINE = 64
"""Steps of a thumbnail's brightness per unit of 0 to 255: averages are finer than their pixels."""
_SAME = 0.05
"""Mean difference of brightness (0 to 255) below which a picture is the one before: cameras were
never seen below 0.4 with a person in the picture, repeated pictures give 0."""
_MOVING = 0.6
"""Mean deviation within the window (brightness of the thumbnail) from which there is anything that
could repeat: a person who sits still repeats himself."""
_ALIKE = 0.3
"""Difference from the earlier stretch over the window's own deviation, below which it repeats.
Loops gave .06 to .20 (.5 for very fast movement), people filmed once never less than .81."""
_RHYTHM = 0.5
"""A window that is this like itself a few seconds earlier is somebody rocking or nodding; or a loop
shorter than the window, which cannot be told from that."""
_GAP = 1.0
"""Seconds without a look after which the memory is of no use: the lags no longer fit."""

Brightness = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    thumbnail: Brightness
    distances: Brightness
    """Mean difference to each earlier thumbnail, by lag: index 0 is the look before."""


class StreamWatch:
    """What one session's stream does in time. It remembers 230 kB of thumbnails."""

    def __init__(self) -> None:
        self.signs: StreamSigns | None = None
        """Of the last look."""
        self._sample: Sample | None = None
        self._changed_at: float | None = None
        self._ever_changed = False
        self._last = float("-inf")
        self._memory = np.zeros((_MEMORY, _WIDTH * _HEIGHT), np.int16)
        self._looks = 0
        self._window: deque[_Look] = deque(maxlen=_WINDOW)

    def look(self, time: float, pixels: Pixels) -> StreamSigns:
        """Take in one frame; times rise, about ``PERIOD`` apart. Gives, and keeps, the signs."""
        sample = sample_pixels(pixels)
        if self._sample is None or self._changed_at is None:
            self._changed_at = time
        elif frame_change(self._sample, sample).mean >= _SAME:
            self._changed_at = time
            self._ever_changed = True
        self._sample = sample
        if not 0 < time - self._last <= _GAP:
            self._looks = 0
            self._window.clear()
        self._last = time
        self._remember(pixels)
        self.signs = StreamSigns(
            unchanged_for=time - self._changed_at,
            ever_changed=self._ever_changed,
            repeats_after=self._repeats_after(),
        )
        return self.signs

    def _remember(self, pixels: Pixels) -> None:
        # In two steps: averaging whole pictures as floats would cost more than all the rest.
        middle = cv2.resize(pixels, (4 * _WIDTH, 4 * _HEIGHT), interpolation=cv2.INTER_AREA)
        small = cv2.resize(
            middle.astype(np.float32), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA
        )
        grey = small.mean(axis=2).ravel()
        # Without its mean: lamps and exposure control swing by themselves, in time.
        fine = np.rint((grey - grey.mean()) * _FINE).astype(np.int16)
        known = min(self._looks, _MEMORY)
        newest_first = (self._looks - 1 - np.arange(known)) % _MEMORY
        apart = np.abs(self._memory[:known] - fine).mean(axis=1, dtype=np.float32) / _FINE
        self._window.append(_Look(fine.astype(np.float32) / _FINE, apart[newest_first]))
        self._memory[self._looks % _MEMORY] = fine
        self._looks += 1

    def _repeats_after(self) -> float | None:
        """The lag at which the whole window repeats an earlier stretch, in seconds."""
        lags = len(self._window[0].distances) if self._window else 0
        if len(self._window) < _WINDOW or lags <= _SHORTEST:
            return None
        pictures = np.stack([look.thumbnail for look in self._window])
        moving = float(np.abs(pictures - pictures.mean(axis=0)).mean())
        if moving < _MOVING:
            return None
        distances = np.stack([look.distances[:lags] for look in self._window])
        # A loop's length is no multiple of the looks' period: the nearest lag to either side serves.
        near = np.minimum(distances[:, 1:-1], np.minimum(distances[:, :-2], distances[:, 2:]))
        by_lag = near.mean(axis=0)[_SHORTEST - 2 :] / moving
        if by_lag.size == 0:
            return None
        shorter, longer = by_lag[: _WINDOW - _SHORTEST], by_lag[_WINDOW - _SHORTEST :]
        if longer.size == 0 or shorter.min() < _RHYTHM:
            return None
        best = int(longer.argmin())
        return (best + _WINDOW) * PERIOD if longer[best] < _ALIKE else None
