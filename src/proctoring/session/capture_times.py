"""Finds capture times that cannot be used: in another unit than microseconds, or of a bad clock.

``MediaClock`` uses arrival times instead. The sender is told, once, so that the client can be mended.
"""

from __future__ import annotations

from proctoring.session.clock import MAX_STEP

_MIN_SECONDS = 5.0
"""Time over which frames are compared: one stall of the network does not matter then."""
_MIN_FRAMES = 10
_UNITS = {1e-6: "seconds", 1e-3: "milliseconds", 1e3: "nanoseconds"}
"""Speed of a clock that is read as microseconds, by the unit that it has."""
_UNIT_FACTOR = 2.0
"""Factor by which the speed may differ from that of the unit."""
_MAX_JUMPS = 3
"""Jumps that a client's clock may make: a computer that slept, a clock that was set."""
_MIN_DRIFT_SECONDS = 60.0
_MAX_DRIFT_SHARE = 0.2
"""A clock that is off by more of the time passed, over a minute, is too slow or too fast. Clients that
send late what they buffered are off by seconds."""


class CaptureTimeCheck:
    """Compares the capture times of one socket's frames with their arrival. Finds one fault at most."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] = (0, 0.0)
        self._frames = 0
        self._changed = False
        self._jumps = 0
        self._jumped = 0.0
        """Seconds by which the jumps changed the clock."""
        self._found = False

    def add(self, capture: int, arrival: float) -> str:
        """Add a frame. Returns what is wrong with the capture times, empty otherwise.

        Args:
            capture: as sent, microseconds.
            arrival: seconds of a monotonic clock.
        """
        if self._found:
            return ""
        if self._first is None:
            self._first = self._last = (capture, arrival)
            return ""
        self._frames += 1
        passed = arrival - self._last[1]
        jump = (capture - self._last[0]) / 1e6 - passed
        if abs(jump) > MAX_STEP:
            self._jumps += 1
            self._jumped += jump
        self._changed = self._changed or capture != self._last[0]
        self._last = (capture, arrival)
        text = self._fault(self._first)
        self._found = bool(text)
        return text

    def _fault(self, first: tuple[int, float]) -> str:
        capture, arrival = self._last
        passed = arrival - first[1]
        if passed < _MIN_SECONDS or self._frames < _MIN_FRAMES:
            return ""
        speed = (capture - first[0]) / 1e6 / passed
        if not self._changed:
            return f"all capture times of {passed:.0f} s are {capture}"
        for factor, unit in _UNITS.items():
            if factor / _UNIT_FACTOR < speed < factor * _UNIT_FACTOR:
                return f"capture times seem to be {unit}: they must be microseconds"
        if self._jumps > _MAX_JUMPS:
            return f"capture times jumped by more than {MAX_STEP:.0f} s {self._jumps} times"
        steady = (capture - first[0]) / 1e6 - self._jumped
        if passed >= _MIN_DRIFT_SECONDS and abs(steady / passed - 1) > _MAX_DRIFT_SHARE:
            return f"capture times advance {steady / passed:.2g} s a second"
        return ""
