"""Capture times: one clock for a participant's video and sound."""

from __future__ import annotations

import time
from collections.abc import Callable

_NEAR = 2.0
"""Seconds by which a frame's own time may differ from its arrival and still be believed."""


class CaptureClock:
    """Microseconds since 1970, running evenly: set once, so a clock adjustment cannot bend it.

    LiveKit stamps video frames in the machine's monotonic time and sound not at all; both are
    brought onto this clock.
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
        """The present."""
        return round((self._monotonic() + self._offset) * 1e6)

    def of_frame(self, timestamp_us: int) -> int:
        """When a frame was captured: by its own stamp, or by its arrival if that is on no clock of ours."""
        if abs(timestamp_us / 1e6 - self._monotonic()) > _NEAR:
            return self.now()
        return timestamp_us + round(self._offset * 1e6)
