"""What a session tells the sockets that it receives media from."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from proctoring.session.load import Slowed


class SessionState(StrEnum):
    """Whether a session accepts media."""

    OPEN = "open"
    ENDED = "ended"
    MOVED = "moved"
    """It goes on at another server; nothing more of it is published here."""


class MediaSource(Protocol):
    """A media socket. Called on the event loop."""

    def flow(self, rate: float, slowed: Slowed) -> None:
        """The session is analysed at this share of the full rate from now on, and why."""

    def replaced(self) -> None:
        """A newer source of the same media took over."""

    def ended(self, detail: str) -> None:
        """The session is over."""

    def moved(self, detail: str) -> None:
        """The session goes on at another server, where the client should connect."""
