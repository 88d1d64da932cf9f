"""The lease of this process, as it knows it itself: by a monotonic clock, from when it asked."""

from __future__ import annotations

TTL = 3.0
"""Seconds for which one renewal holds."""

PERIOD = 1.0
"""Seconds between two renewals: two may fail before the lease is gone."""

RETRY_PERIOD = 0.25
"""Seconds between two attempts while renewals fail."""

ORPHAN_AFTER = 5.0
"""Seconds after its owner's last renewal when a session is adopted although nobody asks for it."""


class Lease:
    """When the lease was renewed. Times are seconds of one clock; for one thread at a time."""

    def __init__(self, ttl: float = TTL) -> None:
        self.ttl = ttl
        self._since = 0.0
        self._last: float | None = None

    def renewed(self, asked_at: float) -> None:
        """A renewal that was asked for at this time succeeded."""
        if self._last is None or asked_at - self._last > self.ttl:
            self._since = asked_at
        self._last = asked_at

    def is_held(self, now: float) -> bool:
        """Whether the others believe this process to be alive. It is so for a little longer in the
        database, which counts from when the renewal arrived."""
        return self._last is not None and now - self._last < self.ttl

    def age(self, now: float) -> float:
        """Seconds since the last renewal that succeeded was asked for."""
        return float("inf") if self._last is None else now - self._last

    def unbroken(self, now: float) -> float:
        """Seconds for which it has been renewed without a break; 0 if it is not held."""
        return now - self._since if self.is_held(now) else 0.0

    def may_take_over(self, now: float) -> bool:
        """Whether this process may believe another one dead because that one's lease is gone.

        Only after twice the TTL: when the database was away, all leases are gone, and by then all
        servers that live have renewed theirs.
        """
        return self.unbroken(now) >= 2 * self.ttl
