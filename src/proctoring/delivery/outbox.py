"""Writes events to the journal, then passes them to listeners: in order, each once, never blocking."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread

from proctoring.delivery.events import Event
from proctoring.delivery.journal import Journal, Replay
from proctoring.delivery.listener import Listener
from proctoring.errors import (
    ProctoringError,
    SessionEndedError,
    SessionMovedError,
    TooManyError,
)
from proctoring.records.entries import (
    Entry,
    PendingEvent,
    SittingEnded,
    SittingRef,
    SittingSaved,
    SittingStarted,
)
from proctoring.records.ownership import Fenced

_log = logging.getLogger(__name__)

MAX_WAITING = 100_000
"""Entries that may wait for the journal: some 100 MB, hours of a hundred sessions' events."""

BATCH = 1000
"""Entries written in one transaction, at most."""


@dataclass(frozen=True, slots=True)
class _WaitingEntry:
    entry: Entry
    done: Future[None] = field(default_factory=Future)


class Outbox:
    """All sessions' events and listeners, over one journal. Safe from many threads at once.

    An entry waits until the outbox's thread has written it, together with all that waits by then;
    only then do listeners receive it. So publishing never waits for a disk, and many sessions share
    one transaction. Without ``start`` the publishing thread does that work itself, for tests.

    Args:
        journal: numbers and stores events.
        listeners_per_session: more are refused.
        queue: events that may wait for one listener; one more ends it.
        max_waiting: entries that may wait for the journal; beyond, events are lost, and counted.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        listeners_per_session: int = 32,
        queue: int = 256,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._journal = journal
        self._max_listeners = listeners_per_session
        self._queue = queue
        self._max_waiting = max_waiting
        self._lock = Lock()
        self._listeners: dict[str, list[Listener]] = {}
        self._waiting: deque[_WaitingEntry] = deque()
        self._saved: set[str] = set()
        """Sittings whose state waits to be written."""
        self._due = False
        """Whether what waits is to be written now. States alone are not, until ``write_saved``."""
        self._writing = 0
        """Entries that the journal is writing."""
        self._arrived = Condition()
        self._delivering = Lock()
        self._thread: Thread | None = None
        self._stopping = False
        self.published = 0
        """Events published since the start."""
        self.dropped = 0
        """Listeners ended because they were slow."""
        self.lost = 0
        """Events never published: too many waited, or the journal could not store them."""
        self.fenced = 0
        """Entries that were dropped, since another server owns their sitting."""
        self.on_fenced: Callable[[SittingRef], None] = lambda _: None
        """Called with the sitting of each, by the thread that writes."""

    def start(self) -> None:
        """Start the thread that writes and publishes."""
        self._thread = Thread(target=self._deliver_always, name="delivery", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Publish what waits and end the thread. Returns whether that took at most ``timeout`` seconds."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    @property
    def waiting(self) -> int:
        """Entries that wait for the journal, or are being written by it."""
        return len(self._waiting) + self._writing

    def begin(self, start: SittingStarted) -> Future[None]:
        """Record that a sitting starts. Done once that is written.

        Its exception is ``SessionMovedError`` if another server has the session.
        """
        return self._put(start)

    def publish(self, pending: PendingEvent) -> Future[None]:
        """Number, store and publish an event. Done once that has happened, or the event is lost."""
        if len(self._waiting) >= self._max_waiting:
            self.lost += 1
            if self.lost == 1:
                _log.error("%d events wait for the journal: newer ones are lost", self._max_waiting)
            lost: Future[None] = Future()
            lost.set_result(None)
            return lost
        return self._put(pending)

    def end(self, end: SittingEnded) -> Future[None]:
        """Record that a sitting ended; end its listeners after the events that still wait."""
        return self._put(end)

    def save(self, saved: SittingSaved, *, last: bool = False) -> None:
        """Store the state of a sitting, after all that was published of it so far: with the next entry, or
        when ``write_saved`` is called. Ignored while an earlier one of the sitting waits, unless it is
        the ``last`` one of this process."""
        with self._arrived:
            if saved.sitting.id in self._saved and not last:
                return
            self._saved.add(saved.sitting.id)
            self._waiting.append(_WaitingEntry(saved))

    def write_saved(self) -> None:
        """Write the states that wait: all sittings' in one transaction."""
        if not self._saved:
            return
        with self._arrived:
            self._due = True
            self._arrived.notify()
        if self._thread is None:
            with self._delivering:
                self._deliver()

    def _put(self, entry: Entry) -> Future[None]:
        waiting = _WaitingEntry(entry)
        with self._arrived:
            self._waiting.append(waiting)
            self._due = True
            self._arrived.notify()
        if self._thread is None:
            with self._delivering:
                self._deliver()
        return waiting.done

    def _deliver_always(self) -> None:
        while True:
            with self._arrived:
                while not self._due and not self._stopping:
                    self._arrived.wait()
                if not self._waiting:
                    return
            try:
                self._deliver()
            except Exception:  # noqa: BLE001  # one batch must not stop all sessions' events
                _log.exception("events could not be delivered")

    def _deliver(self) -> None:
        """Write one batch, then publish it."""
        batch: list[_WaitingEntry] = []
        with self._arrived:
            while self._waiting and len(batch) < BATCH:
                self._writing += 1  # before it leaves the queue: it is never in neither
                batch.append(self._waiting.popleft())
            self._due = bool(self._waiting)
            for waiting in batch:
                if isinstance(waiting.entry, SittingSaved):
                    self._saved.discard(waiting.entry.sitting.id)
        if not batch:
            return
        try:
            events = self._journal.write([waiting.entry for waiting in batch])
        finally:
            self._writing = 0
        for waiting, event in zip(batch, events, strict=True):
            if isinstance(event, Fenced):
                self._drop(waiting)
                continue
            if event is not None:
                self._pass_on(event)
            elif isinstance(waiting.entry, PendingEvent):
                self.lost += 1
            elif isinstance(waiting.entry, SittingEnded):
                self._end_listeners(waiting.entry)
            waiting.done.set_result(None)

    def _pass_on(self, event: Event) -> None:
        with self._lock:
            self.published += 1
            listeners = self._listeners.get(event.session_id, [])
            slow = [listener for listener in listeners if not listener.put(event)]
            for listener in slow:
                self.dropped += 1
                self._remove(listener)

    def _drop(self, waiting: _WaitingEntry) -> None:
        """Another server owns the sitting: nothing of it is published here."""
        self.fenced += 1
        if isinstance(waiting.entry, SittingStarted):
            waiting.done.set_exception(SessionMovedError("another server has the session"))
        else:
            waiting.done.set_result(None)
        self.on_fenced(waiting.entry.sitting)

    def _end_listeners(self, end: SittingEnded) -> None:
        self.close_listeners(end.sitting.session_id, SessionEndedError(end.reason))

    def close_listeners(self, session_id: str, error: ProctoringError) -> None:
        """Close a session's listeners with this error, after the events that they still have."""
        with self._lock:
            for listener in self._listeners.pop(session_id, []):
                listener.close(error)

    def subscribe(self, session_id: str, wake: Callable[[], None]) -> Listener:
        """Add a listener, which receives events from now on; ``catch_up`` replays earlier ones.

        Raises:
            TooManyError: the session has as many listeners as it may.
        """
        with self._lock:
            listeners = self._listeners.setdefault(session_id, [])
            if len(listeners) >= self._max_listeners:
                raise TooManyError(
                    f"the session has {self._max_listeners} listeners, as many as it may"
                )
            listener = Listener(session_id, self._queue, wake)
            listeners.append(listener)
        return listener

    def catch_up(self, listener: Listener, after: int) -> Replay:
        """The events after a number up to now; the listener's queue continues after them.

        Raises:
            RecordsUnavailableError: it cannot be read now.
        """
        replay = self._journal.replay(listener.session_id, after)
        if replay.events:
            listener.skip_until(replay.events[-1].seq)
        return replay

    def replay(self, session_id: str, after: int) -> Replay:
        """The stored events of a session after a number, for a client that does not listen.

        Raises:
            RecordsUnavailableError: it cannot be read now.
        """
        return self._journal.replay(session_id, after)

    def unsubscribe(self, listener: Listener) -> None:
        """Remove a listener, if it is still there."""
        with self._lock:
            self._remove(listener)

    def forget(self, session_id: str) -> None:
        """Release what is held in memory of a session that has ended."""
        self._journal.forget(session_id)

    def last_seq(self, session_id: str) -> int:
        """The number of the session's last event; 0 if it has none."""
        return self._journal.last_seq(session_id)

    def listeners(self, session_id: str | None = None) -> int:
        """How many listeners one session has, or all have."""
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
