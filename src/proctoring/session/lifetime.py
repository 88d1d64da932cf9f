"""Ends sessions after a time without activity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Limits after which a session without activity ends."""

    grace: float = 120.0
    """Seconds after the last media, once every media socket is closed."""
    patience: float = 3600.0
    """Seconds without media while a media socket is open, or before the first media while
    somebody waits: the session was created through the API, or has listeners."""


class IdleTimer:
    """Measures how long a session has been without activity. All times are seconds of one clock.

    Args:
        now: when the session began.
        awaited: the session was created through the API, before its first socket.
    """

    def __init__(self, lifetime: Lifetime, now: float, *, awaited: bool) -> None:
        self._lifetime = lifetime
        self._awaited = awaited
        self._listeners = 0
        self._active_at = now

    @property
    def awaited(self) -> bool:
        """Whether the session was created through the API, before its first socket."""
        return self._awaited

    def idle_for(self, now: float) -> float:
        """Seconds without activity."""
        return now - self._active_at

    def restore(self, idle_for: float, now: float, *, awaited: bool) -> None:
        """Go on from another process's timer. Time in which no process ran does not count."""
        self._active_at, self._awaited = now - idle_for, awaited

    def touch(self, now: float) -> None:
        """Activity: media arrived, or a media socket was opened or closed."""
        self._active_at = now

    def listener_joined(self, now: float) -> None:
        """An events socket was opened."""
        self._listeners += 1
        self._active_at = now

    def listener_left(self, now: float) -> None:
        """An events socket was closed."""
        self._listeners -= 1
        self._active_at = now

    def has_expired(self, now: float, *, connected: bool, media_seen: bool) -> bool:
        """Whether the session is over.

        Args:
            connected: a media socket is open.
            media_seen: media has arrived at some time.
        """
        waiting = not media_seen and (self._awaited or self._listeners > 0)
        allowed = self._lifetime.patience if connected or waiting else self._lifetime.grace
        return now - self._active_at >= allowed
