"""Where events are written down before anybody hears of them, and read again by those who come late."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from proctoring.delivery.events import Event, number_event
from proctoring.records.entries import Entry, PendingEvent, SittingStarted


@dataclass(frozen=True, slots=True)
class Replay:
    """What a listener that comes late still gets."""

    events: tuple[Event, ...]
    """In order, without a gap."""
    missing: int
    """How many events between the number asked for and ``events`` are no longer kept."""


class Journal(Protocol):
    """Numbers events and keeps them. ``write`` is called by one thread at a time, the others by any."""

    def write(self, entries: Sequence[Entry]) -> list[Event | None]:
        """Keep entries in order and give each message the next number of its session.

        What it returns is kept for good: only then may anybody hear of it. ``None`` for what is no
        message, or could not be kept for a fault of its own.
        """

    def replay(self, session_id: str, after: int) -> Replay:
        """Every event that is kept with a number above ``after``.

        Raises:
            RecordsUnavailableError: not now.
        """

    def last_seq(self, session_id: str) -> int:
        """The last number given out under the name of a session that runs here; 0 if none."""

    def forget(self, session_id: str) -> None:
        """Nothing more will come of this session."""


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
        self._lock = Lock()

    def write(self, entries: Sequence[Entry]) -> list[Event | None]:
        """Keep entries and number messages; a sitting that begins lets go of what its name had."""
        with self._lock:
            return [self._write(entry) for entry in entries]

    def _write(self, entry: Entry) -> Event | None:
        pages = self._pages.setdefault(entry.sitting.session_id, _Pages())
        if isinstance(entry, SittingStarted):
            pages.events.clear()
            pages.floor = pages.last
        if not isinstance(entry, PendingEvent):
            return None
        event = number_event(entry, pages.last + 1)
        pages.last = event.seq
        pages.events.append(event)
        if len(pages.events) > self._limit:
            pages.events.popleft()
        return event

    def replay(self, session_id: str, after: int) -> Replay:
        """Every event that is kept with a number above ``after``."""
        with self._lock:
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
