"""Detects a stream that does not come from a camera: a still image, or a recording that repeats.

Both are recognised by how the stream changes over time. A long recording of a person, played once, is
not detected here: see ``docs/accuracy.md``, which also gives the source of the measured limits below.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.observations import InjectionIndicators
from proctoring.vision.frame import Frame
from proctoring.vision.frame_change import (
    THUMBNAIL_SIZE,
    Sample,
    Thumbnail,
    luma_thumbnail,
    mean_differences,
    sample_pixels,
)

SAMPLE_PERIOD = 0.2
"""Seconds between two updates."""
MEMORY_SECONDS = 120.0
"""Length of the longest loop that is found."""
_MAX_GAP = 1.0
"""Seconds without an update after which the memory is dropped: lags no longer match."""

# A still image.

_EARLIER = 100
"""Different pictures (20 s of updates) that a new one is compared with; about 1,400 pixels each."""
_SAME_PICTURE = 0.05
"""Mean difference (levels of 0 to 255) below which a picture repeats an earlier one. Cameras with a
person in view were never nearer than 1.2 to an earlier picture, an empty room with noise of 0.3 never
nearer than 0.75; repeated pictures give 0."""
_MOVEMENT = 4.0
"""Mean difference from which a picture shows movement. The same picture in two JPEG qualities (60 and
90) differs by up to 1.8, a small and noisy one by 3.5."""
_RECENT = 15
"""Updates (3 s) over which the share of new pictures is measured."""
_FEW_NEW = 0.2
"""Highest share of new pictures in a still image that is encoded anew, in changing quality, each time:
it soon repeats itself."""
_CAMERA_LIKE = 15
"""So many new pictures in a row (3 s) come from a camera."""
_EARLY = 0.05
"""Seconds by which updates may be early."""
_MAX_UNCOMPARED = 0.5
"""Seconds after which a frame is decoded to be compared, though its stream is a camera's so far and nothing
else needs its pixels. Updates in which they are not compared leave everything as it was."""

# A loop.

_STEPS_PER_LEVEL = 64
"""Thumbnails are stored in 1/64 of a grey level: averages are finer than single pixels."""
_ONES = np.ones(THUMBNAIL_SIZE, np.float32)
_MEMORY = int(MEMORY_SECONDS / SAMPLE_PERIOD)
_WINDOW = 30
"""Updates (6 s) that must repeat an earlier stretch."""
_MIN_LAG = 10
"""Shortest lag in updates (2 s): shorter repetitions are breathing, blinking and nodding."""
_MIN_MOVEMENT = 0.6
"""Mean deviation of thumbnails within the window, in grey levels, below which nothing is concluded: a
person who sits still always resembles the seconds before."""
_MAX_LOOP_DISTANCE = 0.3
"""Distance to the earlier stretch over the window's own deviation, below which it is a repetition. Loops
gave 0.06 to 0.20 (0.5 for very fast movement), people recorded once never less than 0.81."""
_RHYTHM = 0.5
"""The same ratio at lags shorter than the window, below which the person is rocking or nodding; or it
is a loop shorter than the window, which cannot be distinguished from that."""


@dataclass(frozen=True, slots=True, eq=False)
class _Update:
    thumbnail: Thumbnail
    distances: NDArray[np.float32]
    """Mean difference to each earlier thumbnail, by lag: index 0 is the previous update."""


class InjectionDetector:
    """Measures how one session's stream changes over time. Keeps half a megabyte of thumbnails."""

    def __init__(self) -> None:
        self._earlier: deque[Sample] = deque(maxlen=_EARLIER)
        self._changed_at = 0.0
        self._ever_changed = False
        self._new: deque[bool] = deque(maxlen=_RECENT)
        self._new_in_a_row = 0
        self._compared_at = float("-inf")
        self._digest: int | None = None
        self._digest_since = 0.0
        self._last = float("-inf")
        self._memory = np.zeros((_MEMORY, THUMBNAIL_SIZE), np.int16)
        self._updates = 0
        self._window: deque[_Update] = deque(maxlen=_WINDOW)

    def update(self, frame: Frame) -> InjectionIndicators:
        """Add one frame and measure. Times must rise, about ``SAMPLE_PERIOD`` apart.

        The frame is decoded twice a second while its stream is a camera's, always while it may not be.
        """
        time = frame.time
        self._update_still(frame)
        if not 0 < time - self._last <= _MAX_GAP:
            self._updates = 0
            self._window.clear()
        self._last = time
        self._update_memory(frame)
        return InjectionIndicators(
            unchanged_for=time - self._changed_at,
            ever_changed=self._ever_changed,
            repeats_after=self._repetition_lag(),
        )

    def _update_still(self, frame: Frame) -> None:
        """Determine whether this picture is an earlier one again, possibly encoded anew."""
        time = frame.time
        if frame.digest != self._digest:
            self._digest, self._digest_since = frame.digest, time
        elif self._earlier and self._compared_at >= self._digest_since:
            self._compared_at = time
            self._count(time, new=False, moved=False)
            return
        camera_like = self._ever_changed and all(self._new)
        waited = time - self._compared_at
        if frame.decoded or not camera_like or not 0 <= waited < _MAX_UNCOMPARED - _EARLY:
            self._compared_at = time
            self._compare(self._digest_since, sample_pixels(frame.pixels))

    def _compare(self, time: float, sample: Sample) -> None:
        if self._earlier and self._earlier[-1].shape != sample.shape:
            self._earlier.clear()
        if not self._earlier:
            self._changed_at = time
            self._earlier.append(sample)
            return
        differences = mean_differences(self._earlier, sample)
        new = float(differences.min()) >= _SAME_PICTURE
        self._count(time, new=new, moved=float(differences[-1]) >= _MOVEMENT)
        if new:
            self._earlier.append(sample)

    def _count(self, time: float, *, new: bool, moved: bool) -> None:
        self._new.append(new)
        self._new_in_a_row = self._new_in_a_row + 1 if new else 0
        if moved or (new and sum(self._new) > _FEW_NEW * len(self._new)):
            self._changed_at = time
        if moved or self._new_in_a_row >= _CAMERA_LIKE:
            self._ever_changed = True

    def _update_memory(self, frame: Frame) -> None:
        stored = np.rint(luma_thumbnail(frame.luma) * _STEPS_PER_LEVEL).astype(np.int16)
        known = min(self._updates, _MEMORY)
        newest_first = (self._updates - 1 - np.arange(known)) % _MEMORY
        # Sums of whole numbers below 2 ** 24 are exact in 32 bit floats, in any order.
        changes = np.abs(self._memory[:known] - stored).astype(np.float32)
        distances = changes @ _ONES / np.float32(THUMBNAIL_SIZE)
        distances /= _STEPS_PER_LEVEL
        self._window.append(
            _Update((stored / _STEPS_PER_LEVEL).astype(np.float32), distances[newest_first])
        )
        self._memory[self._updates % _MEMORY] = stored
        self._updates += 1

    def _repetition_lag(self) -> float | None:
        """The lag in seconds at which the whole window repeats an earlier stretch; ``None``: none."""
        lags = len(self._window[0].distances) if self._window else 0
        if len(self._window) < _WINDOW or lags <= _MIN_LAG:
            return None
        thumbnails = np.stack([update.thumbnail for update in self._window])
        movement = float(np.abs(thumbnails - thumbnails.mean(axis=0)).mean())
        if movement < _MIN_MOVEMENT:
            return None
        distances = np.stack([update.distances[:lags] for update in self._window])
        # The length of a loop is not a multiple of the sample period: the best neighbouring lag counts.
        near = np.minimum(distances[:, 1:-1], np.minimum(distances[:, :-2], distances[:, 2:]))
        by_lag = near.mean(axis=0)[_MIN_LAG - 2 :] / movement
        if by_lag.size == 0:
            return None
        shorter, longer = by_lag[: _WINDOW - _MIN_LAG], by_lag[_WINDOW - _MIN_LAG :]
        if longer.size == 0 or shorter.min() < _RHYTHM:
            return None
        best = int(longer.argmin())
        return (best + _WINDOW) * SAMPLE_PERIOD if longer[best] < _MAX_LOOP_DISTANCE else None
