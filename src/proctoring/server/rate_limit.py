"""Limits on what one socket may send and how often one client may send requests."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum


class TokenBucket:
    """A token bucket.

    Args:
        rate: mean units per second.
        burst: units that can be consumed at once.
        now: present time in seconds, of the clock that ``consume`` uses.
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
    """Drops frames that arrive too fast, and pauses reading where even dropping costs too much.

    Args:
        frames: frames per second that are accepted. Reading pauses above four times as many messages.
        data: bytes per second that are read.
        now: present time in seconds, of the clock that ``decide`` uses.
    """

    def __init__(self, frames: float, data: float, now: float) -> None:
        self._frames = TokenBucket(frames, 2 * frames, now)
        self._messages = TokenBucket(4 * frames, 4 * frames, now)
        self._data = TokenBucket(data, 2 * data, now)

    def decide(self, size: int, now: float) -> tuple[RateDecision, float]:
        """What to do with a message of ``size`` bytes, and for how many seconds to pause reading."""
        pause = max(self._messages.consume(1, now), self._data.consume(size, now))
        if self._frames.consume(1, now) > 0:
            self._frames.refund(1)
            return RateDecision.DROP, pause
        return RateDecision.ACCEPT, pause


class ClientLimit:
    """The request rate of each client address.

    Args:
        rate: mean requests per second; bursts may be twice as large.
    """

    CLIENTS = 4096
    """Addresses that are tracked; the least recently seen one is dropped first."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def exceeds(self, client: str, now: float) -> bool:
        """Count a request. Returns whether it exceeds the rate; then it is not counted."""
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
