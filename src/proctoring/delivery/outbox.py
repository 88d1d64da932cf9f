"""Hands events to listeners: in order, each once, and nobody waits for a slow one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from proctoring.delivery.events import Event, Message
from proctoring.delivery.journal import Journal, Replay
from proctoring.errors import TooManyError


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a listener gets nothing more."""

    code: str
    """``slow``: it may come back with the number it saw last. ``ended``: the session is over."""
    detail: str


class Listener:
    """One listener's bounded queue. Filled by the outbox, emptied by whoever serves the listener.

    Args:
        capacity: events that may wait.
        wake: called, from any thread, when there is something to take.
    """

    def __init__(self, session_id: str, capacity: int, wake: Callable[[], None]) -> None:
        self.session_id = session_id
        self._capacity = capacity
        self._wake = wake
        self._lock = Lock()
        self._events: deque[Event] = deque()
        self._closing: Closing | None = None

    def take(self) -> tuple[list[Event], Closing | None]:
        """What waits, in order, and whether it was the last. Never blocks."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
            return events, self._closing

    @property
    def closing(self) -> Closing | None:
        """Why nothing more comes; ``None`` while something may."""
        return self._closing

    def offer(self, event: Event) -> bool:
        """Queue an event. Returns whether the listener is (still) worth keeping."""
        with self._lock:
            if self._closing is None:
                if len(self._events) < self._capacity:
                    self._events.append(event)
                else:
                    self._events.clear()
                    self._closing = Closing(
                        "slow",
                        f"more than {self._capacity} events waited to be read; "
                        "come back with ?after= the last seq you have",
                    )
            kept = self._closing is None
        self._wake()
        return kept

    def close(self, closing: Closing) -> None:
        """Nothing more comes after what waits now."""
        with self._lock:
            self._closing = self._closing or closing
        self._wake()


class Outbox:
    """All sessions' listeners, over one journal. Safe from many threads at once.

    Args:
        journal: numbers and keeps events.
        listeners_per_session: more are refused.
        queue: events that may wait for one listener; beyond, it is dropped.
    """

    def __init__(
        self, journal: Journal, *, listeners_per_session: int = 32, queue: int = 256
    ) -> None:
        self._journal = journal
        self._max_listeners = listeners_per_session
        self._queue = queue
        self._lock = Lock()
        self._listeners: dict[str, list[Listener]] = {}
        self.published = 0
        """Events handed out since the start."""
        self.dropped = 0
        """Listeners dropped because they were slow."""

    def begin(self, session_id: str) -> None:
        """A sitting begins under this name."""
        with self._lock:
            self._journal.begin(session_id)

    def publish(self, message: Message) -> Event:
        """Number a message, keep it, and queue it for everybody who listens."""
        with self._lock:
            event = self._journal.append(message)
            self.published += 1
            listeners = self._listeners.get(event.session_id, [])
            slow = [listener for listener in listeners if not listener.offer(event)]
            for listener in slow:
                self.dropped += 1
                self._remove(listener)
        return event

    def subscribe(
        self, session_id: str, after: int | None, wake: Callable[[], None]
    ) -> tuple[Replay, Listener]:
        """Listen from now on; what came after number ``after`` first, without a gap between.

        Raises:
            TooManyError: the session has as many listeners as it may.
        """
        with self._lock:
            listeners = self._listeners.setdefault(session_id, [])
            if len(listeners) >= self._max_listeners:
                raise TooManyError(
                    f"the session has {self._max_listeners} listeners, as many as it may"
                )
            replay = Replay((), 0) if after is None else self._journal.replay(session_id, after)
            listener = Listener(session_id, self._queue, wake)
            listeners.append(listener)
        return replay, listener

    def replay(self, session_id: str, after: int) -> Replay:
        """What is kept of a session, without listening."""
        with self._lock:
            return self._journal.replay(session_id, after)

    def unsubscribe(self, listener: Listener) -> None:
        """Listen no longer. Does nothing if it does not any more."""
        with self._lock:
            self._remove(listener)

    def end(self, session_id: str, detail: str) -> None:
        """The sitting is over: its listeners get what still waits, and then the reason."""
        with self._lock:
            for listener in self._listeners.pop(session_id, []):
                listener.close(Closing("ended", detail))

    def forget(self, session_id: str) -> None:
        """Nobody will ask for this session's events any more."""
        with self._lock:
            self._journal.forget(session_id)

    def last_seq(self, session_id: str) -> int:
        """The number of the session's last event; 0 if it has none."""
        with self._lock:
            return self._journal.last_seq(session_id)

    def listeners(self, session_id: str | None = None) -> int:
        """How many listen: to one session, or in all."""
        with self._lock:
            if session_id is not None:
                return len(self._listeners.get(session_id, []))
            return sum(len(listeners) for listeners in self._listeners.values())

    def _remove(self, listener: Listener) -> None:
        listeners = self._listeners.get(listener.session_id, [])
        if listener in listeners:
            listeners.remove(listener)
        if not listeners:
            self._listeners.pop(listener.session_id, None)
