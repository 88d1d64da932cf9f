"""Detects that a session's media stops arriving."""

from __future__ import annotations

from proctoring.session.silence import SILENCE, SILENCE_EVERY


class ConnectionMonitor:
    """Times are seconds of the server's clock."""

    def __init__(self) -> None:
        self._media_at: float | None = None
        self._reported_at: float | None = None
        """When missing media was last reported, while it is missing."""

    @property
    def media_seen(self) -> bool:
        """Whether any media has arrived."""
        return self._media_at is not None

    def media_arrived(self, now: float) -> bool:
        """Media arrived. Returns whether it had been reported missing."""
        self._media_at = now
        was_missing = self._reported_at is not None
        self._reported_at = None
        return was_missing

    def is_missing(self, now: float) -> bool:
        """Whether to report missing media now: ``SILENCE`` seconds after the last media, then every
        ``SILENCE_EVERY``. False before the first media."""
        if self._media_at is None or now - self._media_at < SILENCE:
            return False
        if self._reported_at is not None and now - self._reported_at < SILENCE_EVERY:
            return False
        self._reported_at = now
        return True
