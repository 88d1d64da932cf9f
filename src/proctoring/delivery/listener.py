"""One listener's bounded queue of events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Lock

from proctoring.delivery.events import Event
from proctoring.errors import ProctoringError, SlowListenerError


class Listener:
    """Filled by the outbox, drained by the socket that serves the listener.

    Args:
        session_id: whose events it receives.
        capacity: events that may wait; one more ends the listener.
        wake: called, from any thread, when ``drain`` has something to return.
    """

    def __init__(self, session_id: str, capacity: int, wake: Callable[[], None]) -> None:
        self.session_id = session_id
        self._capacity = capacity
        self._wake = wake
        self._lock = Lock()
        self._events: deque[Event] = deque()
        self._closing: ProctoringError | None = None
        self._received_seq = 0

    def skip_until(self, seq: int) -> None:
        """Drop events up to this number, now and later: the listener has received them in a replay."""
        with self._lock:
            self._received_seq = seq
            self._events = deque(event for event in self._events if event.seq > seq)

    def drain(self) -> tuple[list[Event], ProctoringError | None]:
        """Remove and return the waiting events, and the error after which no more will come.

        Never blocks.
        """
        with self._lock:
            events = list(self._events)
            self._events.clear()
            return events, self._closing

    @property
    def closing(self) -> ProctoringError | None:
        """The error that ended the listener; ``None`` while more events may come."""
        return self._closing

    def put(self, event: Event) -> bool:
        """Queue an event. Returns whether more can be queued: ``False`` once the listener has ended."""
        with self._lock:
            if self._closing is None and event.seq > self._received_seq:
                if len(self._events) < self._capacity:
                    self._events.append(event)
                else:
                    self._events.clear()
                    self._closing = SlowListenerError(
                        f"more than {self._capacity} events waited to be read; "
                        "come back with ?after= the last seq you have",
                    )
            open_ = self._closing is None
        self._wake()
        return open_

    def close(self, error: ProctoringError) -> None:
        """End the listener after the events that wait now."""
        with self._lock:
            self._closing = self._closing or error
        self._wake()
