"""Counts blinks: a printed face never blinks."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS = 30.0
"""Time over which the rate of blinks is measured."""
MIN_SECONDS = 20.0
"""Time before which there is no rate."""
_MIN_RATE = 4.0
"""Frames a second below which there is no rate: blinks, which take .1 to .4 s, fall between frames."""
_MAX_GAP = 3.0
"""Seconds without a frame of the face, or with a frozen picture, after which watching starts anew."""
_SHUT = 0.6
"""Share of the median aperture below which the eyes are shut. At ten frames a second a blink takes one to
three frames, in which the eyes are often only half shut."""
_MAX_SECONDS = 0.6
"""Longest blink; eyes that are shut for longer look down or sleep."""


@dataclass(frozen=True, slots=True)
class BlinksState:
    """The blinks of one face, apart from the rate."""

    count: int = 0
    """Blinks since the track began."""
    shut_since: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BlinksHistory:
    """What the rate of blinks is measured from. Without it, there is none for ``MIN_SECONDS``."""

    apertures: NDArray[np.float64]
    """(n, 2) times and apertures."""
    blinks: tuple[float, ...]
    """Times."""


class Blinks:
    """The blinks of one tracked face."""

    def __init__(
        self, state: BlinksState | None = None, history: BlinksHistory | None = None
    ) -> None:
        state = state or BlinksState()
        self.count = state.count
        """Blinks since the track began."""
        self._apertures: deque[tuple[float, float]] = deque()
        self._blinks: deque[float] = deque()
        self._shut_since = state.shut_since
        if history is not None:
            self._apertures.extend((t, aperture) for t, aperture in history.apertures.tolist())
            self._blinks.extend(history.blinks)
        self._sorted = sorted(aperture for _, aperture in self._apertures)
        """The apertures alone, in order of size."""

    @property
    def state(self) -> BlinksState:
        """For a snapshot."""
        return BlinksState(self.count, self._shut_since)

    @property
    def history(self) -> BlinksHistory:
        """For a snapshot."""
        apertures = np.array(self._apertures, np.float64).reshape(-1, 2)
        return BlinksHistory(apertures, tuple(self._blinks))

    def update(self, time: float, aperture: float) -> None:
        """Add ``EyeShape.aperture`` (eye widths) of one frame; times must rise."""
        if self._apertures and time - self._apertures[-1][0] > _MAX_GAP:
            self._apertures.clear()
            self._sorted.clear()
            self._blinks.clear()
            self._shut_since = None
        self._apertures.append((time, aperture))
        insort(self._sorted, aperture)
        while time - self._apertures[0][0] > WINDOW_SECONDS:
            _, oldest = self._apertures.popleft()
            del self._sorted[bisect_left(self._sorted, oldest)]
        while self._blinks and time - self._blinks[0] > WINDOW_SECONDS:
            self._blinks.popleft()
        median = self._sorted[len(self._sorted) // 2]
        if aperture < _SHUT * median:
            if self._shut_since is None:
                self._shut_since = time
        elif self._shut_since is not None:
            if time - self._shut_since <= _MAX_SECONDS:
                self._blinks.append(time)
                self.count += 1
            self._shut_since = None

    def update_unchanged(self, time: float) -> None:
        """Add a frame whose eyes were seen to be as in the one before; times must rise."""
        if self._apertures:
            self.update(time, self._apertures[-1][1])

    @property
    def per_minute(self) -> float | None:
        """Blinks per minute over the last 20 to 30 s; ``None``: tracked for less, or seen too rarely."""
        if not self._apertures:
            return None
        watched = self._apertures[-1][0] - self._apertures[0][0]
        if watched < MIN_SECONDS or len(self._apertures) < _MIN_RATE * watched:
            return None
        return len(self._blinks) * 60 / watched
