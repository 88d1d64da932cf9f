"""Where events are written down before anybody hears of them, and read again by those who come late."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from proctoring.delivery.events import Event, Message, number_message


@dataclass(frozen=True, slots=True)
class Replay:
    """What a listener that comes late still gets."""

    events: tuple[Event, ...]
    """In order, without a gap."""
    missing: int
    """How many events between the number asked for and ``events`` are no longer kept."""


class Journal(Protocol):
    """Numbers events and keeps them. Called under the outbox's lock, so one call at a time."""

    def begin(self, session_id: str) -> None:
        """A new sitting begins under this name: earlier events may go, their numbers stay used."""

    def append(self, message: Message) -> Event:
        """Give a message the next number of its session and keep it."""

    def replay(self, session_id: str, after: int) -> Replay:
        """Every event that is kept with a number above ``after``."""

    def last_seq(self, session_id: str) -> int:
        """The last number given out; 0 if none."""

    def forget(self, session_id: str) -> None:
        """Nobody will ask for this session any more."""


@dataclass(slots=True)
class _Pages:
    last: int = 0
    events: deque[Event] = field(default_factory=deque)
    floor: int = 0
    """Numbers up to here belong to earlier sittings: they are not missing."""


class MemoryJournal:
    """Keeps the newest events of each session in memory.

    Args:
        events_per_session: how many; older ones go.
    """

    def __init__(self, events_per_session: int = 1000) -> None:
        self._limit = events_per_session
        self._pages: dict[str, _Pages] = {}

    def begin(self, session_id: str) -> None:
        """A new sitting begins under this name."""
        pages = self._pages.setdefault(session_id, _Pages())
        pages.events.clear()
        pages.floor = pages.last

    def append(self, message: Message) -> Event:
        """Give a message the next number of its session and keep it."""
        pages = self._pages.setdefault(message.sitting.session_id, _Pages())
        event = number_message(message, pages.last + 1)
        pages.last = event.seq
        pages.events.append(event)
        if len(pages.events) > self._limit:
            pages.events.popleft()
        return event

    def replay(self, session_id: str, after: int) -> Replay:
        """Every event that is kept with a number above ``after``."""
        pages = self._pages.get(session_id)
        if pages is None:
            return Replay((), 0)
        events = tuple(event for event in pages.events if event.seq > after)
        expected = max(0, pages.last - max(after, pages.floor))
        return Replay(events, expected - len(events))

    def last_seq(self, session_id: str) -> int:
        """The last number given out; 0 if none."""
        pages = self._pages.get(session_id)
        return 0 if pages is None else pages.last

    def forget(self, session_id: str) -> None:
        """Nobody will ask for this session any more."""
        self._pages.pop(session_id, None)

    def __len__(self) -> int:
        return len(self._pages)
