"""When periodic work is due, by media time."""

from __future__ import annotations

from dataclasses import dataclass

_MAX_EARLY_SHARE = 0.25
_MAX_EARLY_SECONDS = 0.025
"""A frame may be this much early, as a share of the period or in seconds (the smaller of the two),
and still be used: so no frame is lost to jitter where frames come at exactly the desired rate."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """Media times of one schedule."""

    next: float = float("-inf")
    """When the next run is due."""
    last: float = float("-inf")
    """When the last one started."""


class Schedule:
    """A grid of due times that keeps its average rate whatever the times of the frames are."""

    def __init__(self, state: ScheduleState | None = None) -> None:
        self.state = state or ScheduleState()

    def is_due(self, time: float, period: float) -> bool:
        """Whether a run at media time ``time`` is due; also where time went back."""
        state = self.state
        return time >= state.next - _max_early(period) or time < state.last

    def start_if_due(self, time: float, period: float) -> bool:
        """Whether a run is due; if so, it counts as started and the next one is scheduled."""
        if not self.is_due(time, period):
            return False
        planned = self.state.next
        off_grid = not 0 <= time - planned + _max_early(period) < period
        self.state = ScheduleState((time if off_grid else planned) + period, time)
        return True

    def advance_to(self, time: float) -> None:
        """Make the next run due at ``time`` if it would be due later."""
        self.state = ScheduleState(min(self.state.next, time), self.state.last)


def _max_early(period: float) -> float:
    return min(_MAX_EARLY_SHARE * period, _MAX_EARLY_SECONDS)
