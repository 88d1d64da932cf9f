"""How much one frame differs from others: on single pixels, and in averages of areas.

The sensor noise of a real camera changes every pixel from frame to frame. A frozen driver, or a
still image that is fed in its place, repeats the same pixels exactly. In averages, noise and the
changes of JPEG compression vanish; movement stays.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Luma, Pixels

Sample = NDArray[np.int16]
"""(rows, columns) sum of R, G and B, 0 to 765, of single pixels on a regular grid."""

Thumbnail = NDArray[np.float32]
"""(192,) brightness of 12 x 16 areas in grey levels, less its mean: lamps and exposure control
oscillate by themselves."""

THUMBNAIL_SIZE = 192

_ROWS, _COLUMNS = 30, 40
_PART = 9
"""Of so many pixels of a sample one is in its part."""
_THUMBNAIL = (16, 12)
"""Width and height."""


def sample_pixels(pixels: Pixels) -> Sample:
    """About 40 x 30 single pixels of a frame.

    Not averages of areas: averaging removes the sensor noise that distinguishes a camera from a
    still image.
    """
    height, width = pixels.shape[:2]
    down, across = max(1, height // _ROWS), max(1, width // _COLUMNS)
    return np.asarray(pixels[down // 2 :: down, across // 2 :: across].sum(axis=2, dtype=np.int16))


def mean_differences(earlier: Sequence[Sample], now: Sample) -> NDArray[np.float64]:
    """Mean absolute difference, in levels of 0 to 255, of a sample to each earlier one.

    All samples must have the same shape. 0: the same pixels again.
    """
    return np.asarray(np.abs(np.stack(earlier) - now).mean(axis=(1, 2)) / 3)


class EarlierSamples:
    """The latest samples of one session, of the same shape.

    Args:
        limit: how many are kept.
        samples: those of a continued session, in order.
        added: how many that session had added, those that it dropped included.
    """

    def __init__(self, limit: int, samples: Sequence[Sample] = (), added: int = 0) -> None:
        self._samples: deque[Sample] = deque(maxlen=limit)
        self._parts = np.zeros((limit, 0), np.int16)
        """Every ninth pixel of each, in a ring: enough to tell nearly all of them from a new one."""
        self.added = max(0, added - len(samples))
        """Since the last ``clear``."""
        for sample in samples:
            self.add(sample)

    @property
    def all(self) -> tuple[Sample, ...]:
        """Those that are kept, in order."""
        return tuple(self._samples)

    @property
    def last(self) -> Sample | None:
        """The one added last."""
        return self._samples[-1] if self._samples else None

    def clear(self) -> None:
        """Forget all."""
        self._samples.clear()
        self.added = 0

    def add(self, sample: Sample) -> None:
        """Keep a sample; of another shape only after ``clear``."""
        limit, part = len(self._parts), sample.ravel()[::_PART]
        if not self._samples:
            self._parts = np.zeros((limit, part.size), np.int16)
        self._parts[self.added % limit] = part
        self.added += 1
        self._samples.append(sample)

    def has_nearer(self, sample: Sample, limit: float) -> bool:
        """Whether the mean difference to any of them is below a limit, in levels of 0 to 255."""
        kept = len(self._samples)
        changes = self._parts[:kept] - sample.ravel()[::_PART]
        sums = np.abs(changes, out=changes).sum(axis=1, dtype=np.int32)
        # What differs by more in a part of its pixels differs by more in all of them.
        possible = np.flatnonzero(sums < 3 * limit * sample.size)
        oldest = self.added - kept
        places = [(int(place) - oldest) % kept for place in possible]
        if not places:
            return False
        differences = mean_differences([self._samples[place] for place in places], sample)
        return float(differences.min()) < limit


def thumbnail(pixels: Pixels) -> Thumbnail:
    """The frame as averages of 12 x 16 areas."""
    width, height = _THUMBNAIL
    # Shrunk in two steps: averaging the whole picture in floating point would cost most of all.
    middle = cv2.resize(pixels, (4 * width, 4 * height), interpolation=cv2.INTER_AREA)
    small = cv2.resize(middle.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    grey = small.mean(axis=2).ravel()
    return np.asarray(grey - grey.mean(), np.float32)


def luma_thumbnail(luma: Luma) -> Thumbnail:
    """The same of the small grey copy, whose weights of red, green and blue differ."""
    small = cv2.resize(luma.astype(np.float32), _THUMBNAIL, interpolation=cv2.INTER_AREA).ravel()
    return np.asarray(small - small.mean(), np.float32)
