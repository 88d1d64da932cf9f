"""Whether this server alone is cut from the database, or the database is away for all."""

from __future__ import annotations

from collections.abc import Iterable

CONFIRMED_AFTER = 0.5
"""Seconds for which it must be known that others renew: when the database is back, this server's next
attempt is at most half as long away."""


class Isolation:
    """Times are seconds of one clock. For the event loop."""

    def __init__(self) -> None:
        self._lost_at: float | None = None
        self._seen_at: float | None = None

    def held(self) -> None:
        """This server's lease is held."""
        self._lost_at = self._seen_at = None

    def is_certain(self, now: float, ages: Iterable[float]) -> bool:
        """Whether others reach the database while this server does not. Its lease is not held.

        Args:
            now: the time.
            ages: of the servers that may take over: seconds since each asked for its last renewal. One
                that asked before this lease was over proves nothing: the database may have gone since.
        """
        if self._lost_at is None:
            self._lost_at = now
        since = now - self._lost_at
        if self._seen_at is None and any(age < since for age in ages):
            self._seen_at = now
        return self._seen_at is not None and now - self._seen_at >= CONFIRMED_AFTER
