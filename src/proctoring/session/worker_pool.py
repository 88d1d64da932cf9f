"""Worker threads shared fairly by the sessions of a process."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread

from proctoring.session.load import Demand, next_rate

_log = logging.getLogger(__name__)

REVIEW_PERIOD = 1.0
"""Seconds over which demand is measured. Long enough for several runs of every analyser that has a
fixed rate."""

MAX_BACKGROUND_WAIT = 1.0
"""Seconds that a background queue waits while others have work: the period of object detection.
After that, every other turn goes to background queues, the longest-waiting first. A higher value
keeps frames fast for longer under overload."""


@dataclass(frozen=True, slots=True)
class SerialQueue:
    """A queue whose step runs on one thread at a time. Its functions may be called from any thread
    and return at once."""

    schedule: Callable[[], None]
    """Have the step run once more. While a run is already pending, does nothing."""
    reschedule: Callable[[], None]
    """Called from the step: its work is not finished. Like ``schedule``, but a background queue
    keeps its position, which depends on when the work was first scheduled."""
    close: Callable[[], None]
    """Start no more steps. A running step runs to its end."""
    rate: Callable[[], float]
    """Share of the full rate, ``MIN_RATE`` to 1, at which its session is to be analysed now."""


@dataclass(slots=True, eq=False)
class _QueueState:
    """The pool's state of a queue; guarded by the pool's condition. Times are the pool's clock."""

    step: Callable[[], None]
    background: bool = False
    queued: bool = False
    running: bool = False
    again: bool = False
    """Scheduled while its step was running."""
    closed: bool = False
    scheduled_at: float = 0.0
    """When the pending run was scheduled."""
    queued_at: float = 0.0
    waiting_since: float = 0.0
    """When its present work, possibly of many steps, was first queued."""
    continues: bool = False
    """Whether the next step continues the work of the last."""
    crowded: bool = False
    """Whether no worker was free when it was queued."""
    started_at: float = 0.0
    """Start of the running step, or of this review period if that is later."""
    busy: float = 0.0
    """Seconds of this review period in which its step ran."""
    waits: list[float] = field(default_factory=list)
    """Seconds that steps of this period waited for a free worker."""
    own_waits: list[float] = field(default_factory=list)
    """Seconds from scheduling to running, where its own previous step was still running."""
    rate: float = 1.0
    """Rate that its own demand allows."""


class WorkerPool:
    """Threads that serve queues in turn: first come, first served, one step per turn.

    A queue waits for its turn at most once however often it is scheduled, so a session that sends
    more than others gets no more turns.

    Background queues are for steps that take longer than a frame may wait. They are served while no
    other queue is ready, or after ``MAX_BACKGROUND_WAIT``. With more than one worker, one is never
    given to them.

    Beside the workers there is one thread for short functions that must not wait while every worker is
    occupied (``run_aside``).

    Under overload rates fall (``next_rate``): those of all sessions if the workers cannot keep up
    with them together, that of one session if it needs more than one worker.

    Args:
        workers: number of threads.
        name: prefix of the threads' names.
        clock: seconds.
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
        self._ready: deque[_QueueState] = deque()
        self._ready_background: list[_QueueState] = []
        self._queues: set[_QueueState] = set()
        self._running = 0
        self._running_background = 0
        self._last_was_background = False
        """Whether the last turn was a background queue's."""
        self._stopping = False
        self._period_start = clock()
        self.rate = 1.0
        """Share of the full rate that the sessions together allow, ``MIN_RATE`` to 1."""
        self.demand = Demand(0.0, 0.0)
        """Measured over the last review period."""
        self.failures = 0
        """Steps that raised an exception."""
        self._aside = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-aside")
        self._threads = [
            Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        self._aside.submit(lambda: None)  # starts its thread
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = 5.0) -> bool:
        """Let running steps end, discard pending ones, join the threads.

        Returns:
            Whether every thread ended within ``timeout`` seconds.
        """
        with self._condition:
            self._stopping = True
            self._ready.clear()
            self._ready_background.clear()
            self._condition.notify_all()
        self._aside.shutdown(wait=False, cancel_futures=True)
        until = time.monotonic() + timeout
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def serial_queue(self, step: Callable[[], None], *, background: bool = False) -> SerialQueue:
        """Create a queue.

        Args:
            step: does the work that is waiting, or a part of it, and returns.
            background: a step takes longer than frames of other sessions may wait.
        """
        queue = _QueueState(step, background)
        with self._condition:
            self._queues.add(queue)
        return SerialQueue(
            partial(self._schedule, queue),
            partial(self._reschedule, queue),
            partial(self._close, queue),
            lambda: min(self.rate, queue.rate),
        )

    def run_aside(self, function: Callable[[], None]) -> None:
        """Have a function run on a thread that no step occupies, in the order of the calls. It must
        take milliseconds. Ignored once the pool stops."""
        with self._condition:
            if not self._stopping:
                self._aside.submit(self._run_function, function)

    def _run_function(self, function: Callable[[], None]) -> None:
        try:
            function()
        except Exception:  # noqa: BLE001  # must not affect other sessions
            self.failures += 1
            _log.exception("a session's function failed")

    @property
    def waiting(self) -> int:
        """Queues that wait for a worker now."""
        return len(self._ready) + len(self._ready_background)

    def update_rates(self) -> None:
        """Set all rates by the demand measured, once per ``REVIEW_PERIOD``. To be called often."""
        with self._condition:
            now = self._clock()
            period = now - self._period_start
            if period < REVIEW_PERIOD:
                return
            waits: list[float] = []
            busy = 0.0
            for queue in self._queues:
                if queue.running:
                    queue.busy += now - queue.started_at
                    queue.started_at = now
                if queue.queued and queue.crowded and not queue.background:
                    queue.waits.append(now - queue.queued_at)
                if queue.again:
                    queue.own_waits.append(now - queue.scheduled_at)
                own = Demand(_percentile_90(queue.own_waits), queue.busy / period)
                queue.rate = next_rate(queue.rate, own)
                waits += queue.waits
                busy += queue.busy
                queue.waits, queue.own_waits, queue.busy = [], [], 0.0
            self._period_start = now
            share = min(1.0, busy / (period * len(self._threads)))
            self.demand = Demand(_percentile_90(waits), share)
            self.rate = next_rate(self.rate, self.demand)

    def _schedule(self, queue: _QueueState) -> None:
        with self._condition:
            if queue.closed or self._stopping or queue.queued or queue.again:
                return
            queue.scheduled_at = self._clock()
            if queue.running:
                queue.again = True
            else:
                self._enqueue(queue)

    def _reschedule(self, queue: _QueueState) -> None:
        with self._condition:
            queue.continues = True
        self._schedule(queue)

    def _enqueue(self, queue: _QueueState) -> None:
        queue.queued = True
        queue.queued_at = self._clock()
        if not queue.continues:
            queue.waiting_since = queue.queued_at
        queue.continues = False
        queue.crowded = self._running + len(self._ready) >= len(self._threads)
        (self._ready_background if queue.background else self._ready).append(queue)
        self._condition.notify()

    def _close(self, queue: _QueueState) -> None:
        with self._condition:
            queue.closed = True
            self._queues.discard(queue)
            if queue.queued:
                queue.queued = False
                (self._ready_background if queue.background else self._ready).remove(queue)

    def _run(self) -> None:
        while self._run_step():
            pass

    def _run_step(self) -> bool:
        """Run one step; false if the pool is stopping. A function of its own, so that a waiting
        thread holds no reference to a session that has ended."""
        queue = self._next()
        if queue is None:
            return False
        try:
            queue.step()
        except Exception:  # noqa: BLE001  # must not affect other sessions
            self.failures += 1
            _log.exception("a session's step failed")
        self._finish(queue)
        return True

    def _next(self) -> _QueueState | None:
        """Wait for a queue whose turn it is; ``None`` if the pool is stopping."""
        with self._condition:
            while (queue := self._choose()) is None and not self._stopping:
                self._condition.wait()
            if queue is None:
                return None
            queue.started_at = self._clock()
            if not queue.background:  # waiting of background queues is no sign of overload
                waited = queue.started_at - queue.queued_at
                queue.waits.append(waited if queue.crowded else 0.0)
                if queue.again:
                    queue.own_waits.append(queue.started_at - queue.scheduled_at)
            queue.queued = queue.again = False
            queue.running = True
            self._running += 1
            self._running_background += queue.background
            self._last_was_background = queue.background
            return queue

    def _choose(self) -> _QueueState | None:
        """Remove and return the queue whose turn it is; ``None`` if none is ready."""
        if self._ready_background and self._running_background < max(1, len(self._threads) - 1):
            oldest = min(self._ready_background, key=lambda queue: queue.waiting_since)
            overdue = self._clock() - oldest.waiting_since > MAX_BACKGROUND_WAIT
            if not self._ready or (overdue and not self._last_was_background):
                self._ready_background.remove(oldest)
                return oldest
        return self._ready.popleft() if self._ready else None

    def _finish(self, queue: _QueueState) -> None:
        with self._condition:
            queue.busy += self._clock() - queue.started_at
            queue.running = False
            self._running -= 1
            self._running_background -= queue.background
            if queue.again and not queue.closed and not self._stopping:
                self._enqueue(queue)


def _percentile_90(waits: list[float]) -> float:
    return sorted(waits)[int(0.9 * len(waits))] if waits else 0.0
