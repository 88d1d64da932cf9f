"""When periodic work is due, by media time."""

from __future__ import annotations

_MAX_EARLY_SHARE = 0.25
_MAX_EARLY_SECONDS = 0.025
"""A frame may be this much early, as a share of the period or in seconds (the smaller of the two),
and still be used: so no frame is lost to jitter where frames come at exactly the desired rate."""


class Schedule:
    """A grid of due times that keeps its average rate whatever the times of the frames are."""

    def __init__(self) -> None:
        self._next = float("-inf")
        self._last = float("-inf")

    def is_due(self, time: float, period: float) -> bool:
        """Whether a run at media time ``time`` is due; also where time went back."""
        return time >= self._next - _max_early(period) or time < self._last

    def start_if_due(self, time: float, period: float) -> bool:
        """Whether a run is due; if so, it counts as started and the next one is scheduled."""
        if not self.is_due(time, period):
            return False
        off_grid = not 0 <= time - self._next + _max_early(period) < period
        self._next = (time if off_grid else self._next) + period
        self._last = time
        return True

    def advance_to(self, time: float) -> None:
        """Make the next run due at ``time`` if it would be due later."""
        self._next = min(self._next, time)


def _max_early(period: float) -> float:
    return min(_MAX_EARLY_SHARE * period, _MAX_EARLY_SECONDS)
