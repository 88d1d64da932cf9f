"""What the bearer of a token may do, and with which sessions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token may be good for. None of them includes another."""

    MEDIA = "media"
    """Send a session's pictures, sound and browser events."""
    EVENTS = "events"
    """Hear what is judged of a session."""
    REVIEW = "review"
    """Read records and evidence, and decide on incidents."""
    ADMIN = "admin"
    """Make, end and erase sessions."""
    METRICS = "metrics"
    """Read the counters; they name no session."""


ALL_SESSIONS = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one request or socket may do."""

    scopes: frozenset[Scope]
    sessions: tuple[str, ...]
    """Names of sessions, or beginnings of names followed by ``*``."""
    subject: str = ""
    """Who, in the words of whoever made the token; empty when nobody had to say. Never logged."""
    expires_at: float | None = None
    """Seconds since 1970; ``None`` for never."""

    def covers(self, session_id: str) -> bool:
        """Whether this session is one of the token's."""
        return any(
            session_id.startswith(name[:-1]) if name.endswith("*") else session_id == name
            for name in self.sessions
        )

    @property
    def covers_all(self) -> bool:
        """Whether every session is one of the token's."""
        return ALL_SESSIONS in self.sessions


UNRESTRICTED = Grant(frozenset(Scope), (ALL_SESSIONS,))
"""Where nobody has to say who he is."""
