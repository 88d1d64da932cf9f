"""Hands events to listeners: in order, each once, and nobody waits for a slow one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Lock, Thread

from proctoring.delivery.events import Event
from proctoring.delivery.journal import Journal, Replay
from proctoring.errors import ProctoringError, SessionEndedError, SlowListenerError, TooManyError
from proctoring.records.entries import Entry, PendingEvent, SittingEnded, SittingStarted

_log = logging.getLogger(__name__)

BACKLOG = 100_000
"""Entries that may wait for the journal: some 100 MB, hours of a hundred sessions' events."""

BATCH = 1000
"""Entries written at once."""


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
        self._closing: ProctoringError | None = None
        self._heard = 0

    def skip(self, seq: int) -> None:
        """Events up to this number were heard already: they are not queued again."""
        with self._lock:
            self._heard = seq
            self._events = deque(event for event in self._events if event.seq > seq)

    def take(self) -> tuple[list[Event], ProctoringError | None]:
        """What waits, in order, and whether it was the last. Never blocks."""
        with self._lock:
            events = list(self._events)
            self._events.clear()
            return events, self._closing

    @property
    def closing(self) -> ProctoringError | None:
        """The error that ended the listener; ``None`` while more events may come."""
        return self._closing

    def offer(self, event: Event) -> bool:
        """Queue an event. Returns whether the listener is (still) worth keeping."""
        with self._lock:
            if self._closing is None and event.seq > self._heard:
                if len(self._events) < self._capacity:
                    self._events.append(event)
                else:
                    self._events.clear()
                    self._closing = SlowListenerError(
                        f"more than {self._capacity} events waited to be read; "
                        "come back with ?after= the last seq you have",
                    )
            kept = self._closing is None
        self._wake()
        return kept

    def close(self, error: ProctoringError) -> None:
        """Nothing more comes after what waits now."""
        with self._lock:
            self._closing = self._closing or error
        self._wake()


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry: Entry
    done: Future[None] = field(default_factory=Future)


class Outbox:
    """All sessions' listeners, over one journal. Safe from many threads at once.

    What is published waits until a thread of the outbox has written it to the journal, together
    with whatever else waits by then; only then do listeners hear of it. So nobody who publishes
    waits for a disk, and many sessions share one flush. Without ``start``, whoever publishes does
    that work: for tests.

    Args:
        journal: numbers and keeps events.
        listeners_per_session: more are refused.
        queue: events that may wait for one listener; beyond, it is dropped.
        backlog: entries that may wait for the journal; beyond, messages are lost, and counted.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        listeners_per_session: int = 32,
        queue: int = 256,
        backlog: int = BACKLOG,
    ) -> None:
        self._journal = journal
        self._max_listeners = listeners_per_session
        self._queue = queue
        self._backlog = backlog
        self._lock = Lock()
        self._listeners: dict[str, list[Listener]] = {}
        self._waiting: deque[_Waiting] = deque()
        self._arrived = Condition()
        self._delivering = Lock()
        self._thread: Thread | None = None
        self._stopping = False
        self.published = 0
        """Events handed out since the start."""
        self.dropped = 0
        """Listeners dropped because they were slow."""
        self.lost = 0
        """Messages that nobody heard of: too many waited, or the journal could not take them."""

    def start(self) -> None:
        """Deliver from a thread of its own from now on."""
        self._thread = Thread(target=self._deliver_always, name="delivery", daemon=True)
        self._thread.start()

    def stop(self, timeout: float) -> bool:
        """Deliver what waits and end the thread. Returns whether that was done in time."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify_all()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    @property
    def waiting(self) -> int:
        """Entries that wait for the journal."""
        return len(self._waiting)

    def begin(self, beginning: SittingStarted) -> Future[None]:
        """A sitting begins. Done once that is written."""
        return self._put(beginning)

    def publish(self, pending: PendingEvent) -> Future[None]:
        """Number a message, keep it, and queue it for everybody who listens: soon. Done then."""
        if len(self._waiting) >= self._backlog:
            self.lost += 1
            if self.lost == 1:
                _log.error("%d events wait for the journal: newer ones are lost", self._backlog)
            lost: Future[None] = Future()
            lost.set_result(None)
            return lost
        return self._put(pending)

    def end(self, ending: SittingEnded) -> Future[None]:
        """The sitting is over: its listeners get what still waits, and then the reason."""
        return self._put(ending)

    def _put(self, entry: Entry) -> Future[None]:
        waiting = _Waiting(entry)
        with self._arrived:
            self._waiting.append(waiting)
            self._arrived.notify()
        if self._thread is None:
            with self._delivering:
                self._deliver()
        return waiting.done

    def _deliver_always(self) -> None:
        while True:
            with self._arrived:
                while not self._waiting and not self._stopping:
                    self._arrived.wait()
                if not self._waiting:
                    return
            try:
                self._deliver()
            except Exception:  # noqa: BLE001  # one batch's fault must not silence all sessions
                _log.exception("events could not be delivered")

    def _deliver(self) -> None:
        """Write what waits, then hand it out."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < BATCH:
            batch.append(self._waiting.popleft())
        if not batch:
            return
        events = self._journal.write([waiting.entry for waiting in batch])
        for waiting, event in zip(batch, events, strict=True):
            if event is not None:
                self._hand_out(event)
            elif isinstance(waiting.entry, PendingEvent):
                self.lost += 1
            elif isinstance(waiting.entry, SittingEnded):
                self._say_end(waiting.entry)
            waiting.done.set_result(None)

    def _hand_out(self, event: Event) -> None:
        with self._lock:
            self.published += 1
            listeners = self._listeners.get(event.session_id, [])
            slow = [listener for listener in listeners if not listener.offer(event)]
            for listener in slow:
                self.dropped += 1
                self._remove(listener)

    def _say_end(self, ending: SittingEnded) -> None:
        with self._lock:
            for listener in self._listeners.pop(ending.sitting.session_id, []):
                listener.close(SessionEndedError(ending.reason))

    def subscribe(self, session_id: str, wake: Callable[[], None]) -> Listener:
        """Listen from now on. Who missed something asks ``catch_up`` next.

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
        """What came after a number up to now; the listener's queue goes on from there.

        Raises:
            RecordsUnavailableError: it cannot be read now.
        """
        replay = self._journal.replay(listener.session_id, after)
        if replay.events:
            listener.skip(replay.events[-1].seq)
        return replay

    def replay(self, session_id: str, after: int) -> Replay:
        """What is kept of a session, without listening.

        Raises:
            RecordsUnavailableError: it cannot be read now.
        """
        return self._journal.replay(session_id, after)

    def unsubscribe(self, listener: Listener) -> None:
        """Listen no longer. Does nothing if it does not any more."""
        with self._lock:
            self._remove(listener)

    def forget(self, session_id: str) -> None:
        """Nobody will ask for this session's events any more."""
        self._journal.forget(session_id)

    def last_seq(self, session_id: str) -> int:
        """The number of the session's last event; 0 if it has none."""
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
