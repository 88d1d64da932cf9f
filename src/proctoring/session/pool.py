"""Worker threads that serve many sessions fairly."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread

from proctoring.session.load import Demand, next_rate

_log = logging.getLogger(__name__)

PERIOD = 1.0
"""Seconds over which demand is measured: several looks of every analyser but the slowest."""

PATIENCE = 1.0
"""Seconds that a slow lane waits for quick ones, the time between two looks for objects; from then on
every other turn is for slow lanes, the one that began to wait first before the others. Raising it keeps
quick ones quick longer under overload."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One session's place in the pool: its step runs on one thread at a time, in order of wakes."""

    wake: Callable[[], None]
    """See that the step runs once more, soon. Cheap, from any thread."""
    go_on: Callable[[], None]
    """From its own step: what it does is not done. As ``wake``, but a slow lane keeps its place: it has
    waited since its work was brought, not since this step."""
    close: Callable[[], None]
    """No step begins after this. One that runs just now runs to its end."""
    rate: Callable[[], float]
    """Share of the full rate, ``MIN_RATE`` to 1, at which this session is to be analysed now."""


@dataclass(slots=True, eq=False)
class _Slot:
    """A lane as the pool sees it; under the pool's condition."""

    step: Callable[[], None]
    slow: bool = False
    queued: bool = False
    running: bool = False
    again: bool = False
    """Woken while its step ran: to run once more."""
    closed: bool = False
    woken_at: float = 0.0
    """When it was woken for what waits now."""
    queued_at: float = 0.0
    waits_since: float = 0.0
    """When it was queued with what it does, which may take many steps."""
    goes_on: bool = False
    """Whether its next step goes on with what the one before did."""
    crowded: bool = False
    """Whether no worker was free when it was queued."""
    began_at: float = 0.0
    """When its running step began, or this period if that was later."""
    worked: float = 0.0
    """Seconds of this period in which its step ran."""
    waits: list[float] = field(default_factory=list)
    """Seconds that this period's steps waited in the queue for want of a worker."""
    own_waits: list[float] = field(default_factory=list)
    """Seconds from waking to running, where its own step still ran when it was woken."""
    rate: float = 1.0
    """What its own demand allows, whatever the others' is."""


class Pool:
    """Threads that take turns at the lanes: first come, first served, each lane once per turn.

    Since a lane waits in the queue at most once, however often it is woken, a session that sends
    a lot waits behind all others like any other.

    Lanes are quick, or slow: those whose steps take longer than a frame may wait. Slow ones wait
    while quick ones do, but not for ever (``PATIENCE``), and never have all workers, where there
    is more than one: no frame waits for a slow step to end.

    Under overload rates fall, by ``next_rate``: all sessions' alike where the workers are too few
    for them together, one session's alone where it is more than one worker can do.

    Args:
        workers: number of threads.
        name: of the threads.
        clock: seconds; measures waits and work.
    """

    def __init__(
        self,
        workers: int,
        *,
        name: str = "analysis",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._clock = clock
        self._condition = Condition()
        self._ready: deque[_Slot] = deque()
        self._ready_slow: list[_Slot] = []
        self._slots: set[_Slot] = set()
        self._running = 0
        self._running_slow = 0
        self._slow_went = False
        """Whether the last turn was a slow lane's."""
        self._stopping = False
        self._period_began = clock()
        self.rate = 1.0
        """Share of the full rate that all sessions together allow now, ``MIN_RATE`` to 1."""
        self.demand = Demand(0.0, 0.0)
        """What the last period saw."""
        self.failures = 0
        """Steps that ended in an exception."""
        self._threads = [
            Thread(target=self._work, name=f"{name}-{number}", daemon=True)
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
            self._ready_slow.clear()
            self._condition.notify_all()
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def lane(self, step: Callable[[], None], *, slow: bool = False) -> Lane:
        """A lane for one session, whose ``step`` does what waits there and returns.

        ``slow``: a step takes longer than frames of other sessions may wait.
        """
        slot = _Slot(step, slow)
        with self._condition:
            self._slots.add(slot)
        return Lane(
            partial(self._wake, slot),
            partial(self._go_on, slot),
            partial(self._close, slot),
            lambda: min(self.rate, slot.rate),
        )

    @property
    def waiting(self) -> int:
        """Lanes that wait for a worker now."""
        return len(self._ready) + len(self._ready_slow)

    def review(self) -> None:
        """Set all rates by what was seen, once a ``PERIOD`` has passed. To be called often."""
        with self._condition:
            now = self._clock()
            period = now - self._period_began
            if period < PERIOD:
                return
            waits: list[float] = []
            worked = 0.0
            for slot in self._slots:
                if slot.running:
                    slot.worked += now - slot.began_at
                    slot.began_at = now
                if slot.queued and slot.crowded and not slot.slow:
                    slot.waits.append(now - slot.queued_at)
                if slot.again:
                    slot.own_waits.append(now - slot.woken_at)
                own = Demand(_high(slot.own_waits), slot.worked / period)
                slot.rate = next_rate(slot.rate, own)
                waits += slot.waits
                worked += slot.worked
                slot.waits, slot.own_waits, slot.worked = [], [], 0.0
            self._period_began = now
            self.demand = Demand(_high(waits), min(1.0, worked / (period * len(self._threads))))
            self.rate = next_rate(self.rate, self.demand)

    def _wake(self, slot: _Slot) -> None:
        with self._condition:
            if slot.closed or self._stopping or slot.queued or slot.again:
                return
            slot.woken_at = self._clock()
            if slot.running:
                slot.again = True
            else:
                self._queue(slot)

    def _go_on(self, slot: _Slot) -> None:
        with self._condition:
            slot.goes_on = True
        self._wake(slot)

    def _queue(self, slot: _Slot) -> None:
        slot.queued = True
        slot.queued_at = self._clock()
        if not slot.goes_on:
            slot.waits_since = slot.queued_at
        slot.goes_on = False
        slot.crowded = self._running + len(self._ready) >= len(self._threads)
        (self._ready_slow if slot.slow else self._ready).append(slot)
        self._condition.notify()

    def _close(self, slot: _Slot) -> None:
        with self._condition:
            slot.closed = True
            self._slots.discard(slot)
            if slot.queued:
                slot.queued = False
                (self._ready_slow if slot.slow else self._ready).remove(slot)

    def _work(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """One turn. Its own function, so that a thread that waits holds no session that ended."""
        slot = self._next()
        if slot is None:
            return False
        try:
            slot.step()
        except Exception:  # noqa: BLE001  # one session's fault must not cost the others
            self.failures += 1
            _log.exception("a session's step failed")
        self._finished(slot)
        return True

    def _next(self) -> _Slot | None:
        with self._condition:
            while (slot := self._choose()) is None and not self._stopping:
                self._condition.wait()
            if slot is None:
                return None
            slot.began_at = self._clock()
            if not slot.slow:  # slow lanes are meant to wait: that is no overload
                slot.waits.append(slot.began_at - slot.queued_at if slot.crowded else 0.0)
                if slot.again:
                    slot.own_waits.append(slot.began_at - slot.woken_at)
            slot.queued = slot.again = False
            slot.running = True
            self._running += 1
            self._running_slow += slot.slow
            self._slow_went = slot.slow
            return slot

    def _choose(self) -> _Slot | None:
        """Whose turn it is; it no longer waits then. ``None``: nobody's."""
        if self._ready_slow and self._running_slow < max(1, len(self._threads) - 1):
            slow = min(self._ready_slow, key=lambda slot: slot.waits_since)
            waited = self._clock() - slow.waits_since
            if not self._ready or (waited > PATIENCE and not self._slow_went):
                self._ready_slow.remove(slow)
                return slow
        return self._ready.popleft() if self._ready else None

    def _finished(self, slot: _Slot) -> None:
        with self._condition:
            slot.worked += self._clock() - slot.began_at
            slot.running = False
            self._running -= 1
            self._running_slow -= slot.slow
            if slot.again and not slot.closed and not self._stopping:
                self._queue(slot)


def _high(waits: list[float]) -> float:
    """The 90th percentile."""
    return sorted(waits)[int(0.9 * len(waits))] if waits else 0.0
