"""What a token permits, and for which sessions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """What a token may permit. No scope includes another."""

    MEDIA = "media"
    """Send a session's video, audio and browser reports."""
    EVENTS = "events"
    """Receive the events of a session."""
    REVIEW = "review"
    """Read records and evidence, and decide on incidents."""
    ADMIN = "admin"
    """Create, end and erase sessions."""
    METRICS = "metrics"
    """Read the metrics, which name no session."""


ALL_SESSIONS = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one request or socket is permitted."""

    scopes: frozenset[Scope]
    sessions: tuple[str, ...]
    """Session ids, or prefixes of session ids followed by ``*``."""
    subject: str = ""
    """The token's subject claim; empty without a token. Never logged."""
    expires_at: float | None = None
    """Unix time in seconds; ``None``: never."""

    def covers(self, session_id: str) -> bool:
        """Whether the grant includes this session."""
        return any(
            session_id.startswith(name[:-1]) if name.endswith("*") else session_id == name
            for name in self.sessions
        )

    @property
    def covers_all(self) -> bool:
        """Whether the grant includes every session."""
        return ALL_SESSIONS in self.sessions


UNRESTRICTED = Grant(frozenset(Scope), (ALL_SESSIONS,))
"""The grant of every request where no tokens are used."""
