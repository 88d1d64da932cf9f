"""Capture times: one clock for a participant's video and audio."""

from __future__ import annotations

import time
from collections.abc import Callable

_PLAUSIBLE = 2.0
"""Seconds by which a frame's timestamp may differ from its arrival and still be used."""


class CaptureClock:
    """Microseconds since 1970, running evenly: set once, so that clock adjustments do not bend it.

    LiveKit stamps video frames in the machine's monotonic time and audio not at all; both are
    converted to this clock.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now(self) -> int:
        """The current time."""
        return round((self._monotonic() + self._offset) * 1e6)

    def frame_time(self, timestamp_us: int) -> int:
        """Capture time of a frame: its timestamp, or its arrival if that is of another clock."""
        if abs(timestamp_us / 1e6 - self._monotonic()) > _PLAUSIBLE:
            return self.now()
        return timestamp_us + round(self._offset * 1e6)
