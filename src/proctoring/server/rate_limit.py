"""How much one socket may send, and how often one client may ask."""

from __future__ import annotations

from collections import OrderedDict
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


class ClientLimit:
    """How often each client may ask.

    Args:
        rate: requests per second in the mean; twice as many at once.
    """

    CLIENTS = 4096
    """Clients remembered; who has not asked for longest is forgotten first."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def is_too_much(self, client: str, now: float) -> bool:
        """Count a request. Returns whether it is one too many; such a one does not count."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = Bucket(self._rate, 2 * self._rate, now)
            if len(self._buckets) > self.CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        if bucket.take(1, now) > 0:
            bucket.give_back(1)
            return True
        return False
