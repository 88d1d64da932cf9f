"""How much one socket may send."""

from __future__ import annotations

from enum import Enum


class Bucket:
    """A token bucket: ``rate`` units per second in the mean, ``burst`` at once.

    Args:
        now: seconds of the clock that ``take`` uses.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, units: float, now: float) -> float:
        """Take ``units`` out. Returns the seconds by which that was too much; 0 if it was not."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        self._left -= units
        return max(0.0, -self._left / self._rate)

    def give_back(self, units: float) -> None:
        """What was taken and not used after all."""
        self._left += units


class Verdict(Enum):
    """What to do with a message."""

    TAKE = "take"
    DROP = "drop"


class SocketLimit:
    """Drops frames beyond the rate, and slows reading where even dropping would cost too much.

    Args:
        frames: per second, taken.
        data: bytes per second, read.
        now: seconds of the clock that ``judge`` uses.
    """

    def __init__(self, frames: float, data: float, now: float) -> None:
        self._taken = Bucket(frames, 2 * frames, now)
        self._read = Bucket(4 * frames, 4 * frames, now)
        self._data = Bucket(data, 2 * data, now)

    def judge(self, size: int, now: float) -> tuple[Verdict, float]:
        """What to do with a message of ``size`` bytes, and for how many seconds to read no more."""
        pause = max(self._read.take(1, now), self._data.take(size, now))
        if self._taken.take(1, now) > 0:
            self._taken.give_back(1)
            return Verdict.DROP, pause
        return Verdict.TAKE, pause
