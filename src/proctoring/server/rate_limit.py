"""How much one socket may send, and how often one client may ask."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum


class TokenBucket:
    """A token bucket: ``rate`` units per second in the mean, ``burst`` at once.

    Args:
        now: seconds of the clock that ``consume`` uses.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def consume(self, units: float, now: float) -> float:
        """Consume ``units``. Returns the seconds until the bucket is no longer overdrawn; 0 if it is
        not."""
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        self._left -= units
        return max(0.0, -self._left / self._rate)

    def refund(self, units: float) -> None:
        """Return units that were consumed and not used."""
        self._left += units


class RateDecision(Enum):
    """What to do with a message."""

    ACCEPT = "accept"
    DROP = "drop"


class SocketLimit:
    """Drops frames beyond the rate, and slows reading where even dropping would cost too much.

    Args:
        frames: per second, taken.
        data: bytes per second, read.
        now: seconds of the clock that ``decide`` uses.
    """

    def __init__(self, frames: float, data: float, now: float) -> None:
        self._frames = TokenBucket(frames, 2 * frames, now)
        self._messages = TokenBucket(4 * frames, 4 * frames, now)
        self._data = TokenBucket(data, 2 * data, now)

    def decide(self, size: int, now: float) -> tuple[RateDecision, float]:
        """What to do with a message of ``size`` bytes, and for how many seconds to read no more."""
        pause = max(self._messages.consume(1, now), self._data.consume(size, now))
        if self._frames.consume(1, now) > 0:
            self._frames.refund(1)
            return RateDecision.DROP, pause
        return RateDecision.ACCEPT, pause


class ClientLimit:
    """How often each client may ask.

    Args:
        rate: requests per second in the mean; twice as many at once.
    """

    CLIENTS = 4096
    """Clients remembered; who has not asked for longest is forgotten first."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def exceeds(self, client: str, now: float) -> bool:
        """Count a request. Returns whether it is one too many; such a one does not count."""
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = TokenBucket(self._rate, 2 * self._rate, now)
            if len(self._buckets) > self.CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        if bucket.consume(1, now) > 0:
            bucket.refund(1)
            return True
        return False
