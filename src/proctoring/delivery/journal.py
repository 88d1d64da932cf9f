"""Numbers and stores events before they are published, and replays them to late listeners."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from proctoring.delivery.events import Event, number_event
from proctoring.records.entries import Entry, PendingEvent, SittingStarted
from proctoring.records.ownership import Fenced


@dataclass(frozen=True, slots=True)
class Replay:
    """What a late listener still receives."""

    events: tuple[Event, ...]
    """In order, without a gap."""
    missing: int
    """How many events between the requested number and ``events`` are no longer stored."""


class Journal(Protocol):
    """Numbers events and stores them.

    ``write`` is called by one thread at a time, the other methods by any.
    """

    def write(self, entries: Sequence[Entry]) -> Sequence[Event | Fenced | None]:
        """Store entries in order and give each event the next number of its session.

        Returns:
            For each entry its event, which is stored: it may be published. ``None`` for an entry
            that is none, or one that could not be stored; ``Fenced`` for one that was dropped, since
            another server owns its sitting.
        """

    def replay(self, session_id: str, after: int) -> Replay:
        """Every stored event with a number above ``after``.

        Raises:
            RecordsUnavailableError: they cannot be read now.
        """

    def last_seq(self, session_id: str) -> int:
        """The number of the last event of a session that runs here; 0 if there is none."""

    def forget(self, session_id: str) -> None:
        """Release what is held in memory of a session: nothing more comes of it here."""


@dataclass(slots=True)
class _StoredSession:
    last_seq: int = 0
    events: deque[Event] = field(default_factory=deque)
    replay_after: int = 0
    """Numbers up to this one belong to earlier sittings: they do not count as missing."""


class MemoryJournal:
    """Keeps the newest events of each session in memory.

    Args:
        events_per_session: how many; older ones are dropped.
    """

    def __init__(self, events_per_session: int = 1000) -> None:
        self._limit = events_per_session
        self._sessions: dict[str, _StoredSession] = {}
        self._lock = Lock()

    def write(self, entries: Sequence[Entry]) -> list[Event | None]:
        """Store entries and number events; a new sitting drops the events of earlier ones."""
        with self._lock:
            return [self._write(entry) for entry in entries]

    def _write(self, entry: Entry) -> Event | None:
        stored = self._sessions.setdefault(entry.sitting.session_id, _StoredSession())
        if isinstance(entry, SittingStarted):
            stored.events.clear()
            stored.replay_after = stored.last_seq
        if not isinstance(entry, PendingEvent):
            return None
        event = number_event(entry, stored.last_seq + 1)
        stored.last_seq = event.seq
        stored.events.append(event)
        if len(stored.events) > self._limit:
            stored.events.popleft()
        return event

    def replay(self, session_id: str, after: int) -> Replay:
        """Every stored event with a number above ``after``."""
        with self._lock:
            stored = self._sessions.get(session_id)
            if stored is None:
                return Replay((), 0)
            events = tuple(event for event in stored.events if event.seq > after)
            expected = max(0, stored.last_seq - max(after, stored.replay_after))
            return Replay(events, expected - len(events))

    def last_seq(self, session_id: str) -> int:
        """The number of the session's last event; 0 if there is none."""
        stored = self._sessions.get(session_id)
        return 0 if stored is None else stored.last_seq

    def forget(self, session_id: str) -> None:
        """Drop a session's events."""
        self._sessions.pop(session_id, None)

    def __len__(self) -> int:
        return len(self._sessions)
