"""When an analyser is due, by media time."""

from __future__ import annotations

_EARLY_SHARE = 0.25
_EARLY_SECONDS = 0.025
"""By how much a frame may be early and still count (the smaller of the two): with it, jittering
frames sent at the very rate that is wanted are all taken."""


class Schedule:
    """A grid of times that keeps its rate on average, whatever the times of the frames are."""

    def __init__(self) -> None:
        self._next = float("-inf")
        self._last = float("-inf")

    def is_due(self, time: float, period: float) -> bool:
        """Whether a look at ``time`` is due."""
        return time >= self._next - _early(period) or time < self._last

    def start_if_due(self, time: float, period: float) -> bool:
        """Whether a look is due; if so it counts as taken."""
        if not self.is_due(time, period):
            return False
        behind = not 0 <= time - self._next + _early(period) < period
        self._next = (time if behind else self._next) + period
        self._last = time
        return True

    def advance_to(self, time: float) -> None:
        """Let the next look be due at ``time``, if it would come later."""
        self._next = min(self._next, time)


def _early(period: float) -> float:
    return min(_EARLY_SHARE * period, _EARLY_SECONDS)
