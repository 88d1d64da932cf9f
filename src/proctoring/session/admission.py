"""Whether one more session may begin: by number, and by what the machine carries."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from proctoring.errors import OverloadedError, ProctoringError, TooManyError
from proctoring.session.load import BUSY

READINGS = 10
"""Readings of the load, one a second, of which the median counts: a peak shorter than half of them
refuses nobody."""

NEW = 15.0
"""Seconds after its beginning in which a session that is not measured yet counts with what others need:
its camera may still be about to start."""


@dataclass(frozen=True, slots=True)
class LoadReading:
    """The load of the workers at one moment."""

    needed: float
    """Share of the workers' time that all sessions would use at the full rate."""
    rate: float
    """Share of the full rate that they are analysed at."""
    active: int
    """How many sessions sent frames."""


class Admission:
    """Refuses sessions beyond a number and, by load, while one more would slow the present ones down.

    Sessions that are open are not asked again: their sockets may come and go. For the event loop; times
    are seconds of one clock.

    Args:
        max_sessions: open or closing at once.
        by_load: whether the load counts, too.
    """

    def __init__(self, max_sessions: int, *, by_load: bool) -> None:
        self.refused: Counter[str] = Counter()
        """Sessions refused, by the code of the error."""
        self._max_sessions = max_sessions
        self._by_load = by_load
        self._readings: deque[LoadReading] = deque(maxlen=READINGS)
        self._read_at = float("-inf")
        self._begun: deque[float] = deque()
        """When the sessions of the last ``NEW`` seconds began."""
        self._cost = 0.0
        """Share of the workers' time that one session needs, as last measured; 0: never measured."""

    def observe(self, reading: LoadReading, now: float) -> None:
        """Take note of the load, once a second. To be called at least as often."""
        if now - self._read_at < 1.0:
            return
        self._read_at = now
        self._readings.append(reading)
        costs = [each.needed / each.active for each in self._readings if each.active]
        if costs:
            self._cost = median(costs)

    def begun(self, now: float) -> None:
        """A session has begun."""
        self._begun.append(now)

    def refuse(self, sessions: int, now: float) -> None:
        """Raise, and count, what ``refusal`` returns."""
        error = self.refusal(sessions, now)
        if error is not None:
            self.refused[error.code] += 1
            raise error

    def refusal(self, sessions: int, now: float) -> ProctoringError | None:
        """Why no session may begin now; ``None`` if one may.

        Args:
            sessions: how many are open or closing.
            now: the present time.
        """
        if sessions >= self._max_sessions:
            return TooManyError(f"{self._max_sessions} sessions are open, as many as may be")
        if not self._by_load or not sessions or len(self._readings) <= READINGS // 2:
            return None
        slowed = self._median(each.rate for each in self._readings)
        if slowed < 1.0:
            return OverloadedError(
                f"the sessions that are open are slowed down to {slowed:.0%} of the full rate already"
            )
        while self._begun and self._begun[0] < now - NEW:
            self._begun.popleft()
        measured = self._median(each.needed for each in self._readings)
        active = self._median(each.active for each in self._readings)
        unmeasured = min(len(self._begun), max(0.0, sessions - active))
        expected = measured + unmeasured * self._cost
        if expected + self._cost > BUSY:
            return OverloadedError(
                f"the sessions that are open need {expected:.0%} of the computing time, and one more"
                f" {self._cost:.0%}: more than {BUSY:.0%} in all"
            )
        return None

    @staticmethod
    def _median(values: Iterable[float]) -> float:
        return median(list(values))
