"""When an analyser is due, by media time."""

from __future__ import annotations

_EARLY = 0.25
"""Share of a period by which a frame may be early and still count: with it, jittering frames sent
at the very rate that is wanted are all taken, and 30 a second give 10 a second exactly."""


class Schedule:
    """A grid of times that keeps its rate on average, whatever the times of the frames are."""

    def __init__(self) -> None:
        self._next = float("-inf")
        self._last = float("-inf")

    def is_due(self, time: float, period: float) -> bool:
        """Whether a look at ``time`` is due."""
        return time >= self._next - _EARLY * period or time < self._last

    def take(self, time: float, period: float) -> bool:
        """Whether a look is due; if so it counts as taken."""
        if not self.is_due(time, period):
            return False
        behind = not 0 <= time - self._next + _EARLY * period < period
        self._next = (time if behind else self._next) + period
        self._last = time
        return True
