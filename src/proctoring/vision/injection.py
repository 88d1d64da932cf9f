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

from proctoring.observations import InjectionIndicators
from proctoring.vision.frame import Pixels
from proctoring.vision.frame_change import Sample, changes, sample_pixels

SAMPLE_PERIOD = 0.2
"""Seconds between two looks."""
MEMORY_SECONDS = 120.0
"""The longest loop that is found."""
_MEMORY = int(MEMORY_SECONDS / SAMPLE_PERIOD)
_WINDOW = 30
"""Looks (6 s) that must repeat an earlier stretch."""
_SHORTEST = 10
"""Looks (2 s): shorter repetitions are breathing, blinking and nodding."""
_WIDTH, _HEIGHT = 16, 12
_FINE = 64
"""Steps of a thumbnail's brightness per unit of 0 to 255: averages are finer than their pixels."""
_SAME = 0.05
"""Mean difference of brightness (0 to 255) below which a picture is one that came before: cameras
never came nearer than 1.2 to any of their earlier pictures with a person in it, a noise of .3 in an
empty room than .75; repeated pictures give 0."""
_REENCODED = 4.0
"""One picture in two qualities of JPEG (60 and 90) differs by up to 1.8, a small and noisy
one by 3.5: more is movement."""
_RECENT, _FEW_NEW = 15, 0.2
"""A still picture that is encoded anew each time, in changing quality, repeats itself before long:
at most so large a share of the last looks (3 s) is new then."""
_CAMERA_LIKE = 15
"""So many new pictures in a row (3 s) come from a camera."""
_EARLIER = 100
"""Pictures (20 s) among which a repetition is looked for; 1,400 pixels each."""
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


class InjectionDetector:
    """What one session's stream does in time. It remembers half a megabyte of small pictures."""

    def __init__(self) -> None:
        self.signs: InjectionIndicators | None = None
        """Of the last look."""
        self._earlier: deque[Sample] = deque(maxlen=_EARLIER)
        self._changed_at = 0.0
        self._ever_changed = False
        self._new: deque[bool] = deque(maxlen=_RECENT)
        self._new_in_a_row = 0
        self._last = float("-inf")
        self._memory = np.zeros((_MEMORY, _WIDTH * _HEIGHT), np.int16)
        self._looks = 0
        self._window: deque[_Look] = deque(maxlen=_WINDOW)

    def update(self, time: float, pixels: Pixels) -> InjectionIndicators:
        """Take in one frame; times rise, about ``SAMPLE_PERIOD`` apart. Gives, and keeps, the signs."""
        self._see_change(time, sample_pixels(pixels))
        if not 0 < time - self._last <= _GAP:
            self._looks = 0
            self._window.clear()
        self._last = time
        self._remember(pixels)
        self.signs = InjectionIndicators(
            unchanged_for=time - self._changed_at,
            ever_changed=self._ever_changed,
            repeats_after=self._repeats_after(),
        )
        return self.signs

    def _see_change(self, time: float, sample: Sample) -> None:
        """Whether this picture is one that came before, or that one encoded anew."""
        if self._earlier and self._earlier[-1].shape != sample.shape:
            self._earlier.clear()
        if not self._earlier:
            self._changed_at = time
            self._earlier.append(sample)
            return
        apart = changes(self._earlier, sample)
        new = float(apart.min()) >= _SAME
        self._new.append(new)
        self._new_in_a_row = self._new_in_a_row + 1 if new else 0
        moved = float(apart[-1]) >= _REENCODED
        if moved or (new and sum(self._new) > _FEW_NEW * len(self._new)):
            self._changed_at = time
        if moved or self._new_in_a_row >= _CAMERA_LIKE:
            self._ever_changed = True
        if new:
            self._earlier.append(sample)

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
        return (best + _WINDOW) * SAMPLE_PERIOD if longer[best] < _ALIKE else None
