"""Worker threads that serve many sessions fairly."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread

from proctoring.session.load import Demand, next_rate

_log = logging.getLogger(__name__)

_MAX_WAITS = 4096
"""Waits remembered within one period; beyond, the oldest go."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One session's place in the pool: its step runs on one thread at a time, in order of wakes."""

    wake: Callable[[], None]
    """See that the step runs once more, soon. Cheap, from any thread."""
    close: Callable[[], None]
    """No step begins after this. One that runs just now runs to its end."""


@dataclass(slots=True, eq=False)
class _Slot:
    """A lane as the pool sees it; under the pool's condition."""

    step: Callable[[], None]
    queued: bool = False
    running: bool = False
    again: bool = False
    closed: bool = False
    queued_at: float = 0.0


class Pool:
    """Threads that take turns at the lanes: first come, first served, each lane once per turn.

    Since a lane waits in the queue at most once, however often it is woken, a session that sends
    a lot waits behind all others like any other.

    Args:
        workers: number of threads.
        clock: seconds; measures waits and work.
    """

    def __init__(self, workers: int, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._condition = Condition()
        self._ready: deque[_Slot] = deque()
        self._stopping = False
        self._waits: deque[float] = deque(maxlen=_MAX_WAITS)
        self._worked = 0.0
        self._began: dict[int, float] = {}
        self._reviewed_at = clock()
        self.rate = 1.0
        """Share of the full rate at which every session is analysed now, ``MIN_RATE`` to 1."""
        self.demand = Demand(0.0, 0.0)
        """What the last period saw."""
        self.failures = 0
        """Steps that ended in an exception."""
        self._threads = [
            Thread(target=self._work, args=(number,), name=f"analysis-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Let running steps end, drop waiting ones, join the threads.

        Returns:
            Whether every thread ended within ``timeout`` seconds.
        """
        with self._condition:
            self._stopping = True
            self._ready.clear()
            self._condition.notify_all()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def lane(self, step: Callable[[], None]) -> Lane:
        """A lane for one session, whose ``step`` does what waits there and returns."""
        slot = _Slot(step)
        return Lane(partial(self._wake, slot), partial(self._close, slot))

    @property
    def waiting(self) -> int:
        """Lanes that wait for a worker now."""
        return len(self._ready)

    def review(self) -> float:
        """Close the period since the last review and set ``rate`` by what it saw; returns it.

        To be called a few times a second.
        """
        with self._condition:
            now = self._clock()
            period = now - self._reviewed_at
            if period <= 0:
                return self.rate
            waits = sorted(self._waits)
            if self._ready:
                waits.append(now - self._ready[0].queued_at)
                waits.sort()
            worked = self._worked
            for number, began in self._began.items():
                worked += now - began
                self._began[number] = now
            self._waits.clear()
            self._worked = 0.0
            self._reviewed_at = now
            wait = waits[int(0.9 * len(waits))] if waits else 0.0
            self.demand = Demand(wait, min(1.0, worked / (period * len(self._threads))))
            self.rate = next_rate(self.rate, self.demand)
            return self.rate

    def _wake(self, slot: _Slot) -> None:
        with self._condition:
            if slot.closed or self._stopping or slot.queued:
                return
            if slot.running:
                slot.again = True
                return
            self._queue(slot)

    def _queue(self, slot: _Slot) -> None:
        slot.queued = True
        slot.queued_at = self._clock()
        self._ready.append(slot)
        self._condition.notify()

    def _close(self, slot: _Slot) -> None:
        with self._condition:
            slot.closed = True
            if slot.queued:
                slot.queued = False
                self._ready.remove(slot)

    def _work(self, number: int) -> None:
        while (slot := self._next(number)) is not None:
            try:
                slot.step()
            except Exception:  # noqa: BLE001  # one session's fault must not cost the others their worker
                self.failures += 1
                _log.exception("a session's step failed")
            self._finished(number, slot)

    def _next(self, number: int) -> _Slot | None:
        with self._condition:
            while not self._ready and not self._stopping:
                self._condition.wait()
            if self._stopping:
                return None
            slot = self._ready.popleft()
            now = self._clock()
            self._waits.append(now - slot.queued_at)
            self._began[number] = now
            slot.queued = False
            slot.running = True
            return slot

    def _finished(self, number: int, slot: _Slot) -> None:
        with self._condition:
            self._worked += self._clock() - self._began.pop(number)
            slot.running = False
            if slot.again and not slot.closed and not self._stopping:
                self._queue(slot)
            slot.again = False
