"""Worker threads shared fairly by the sessions of a process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread

from proctoring.session.load import Demand, SessionRate
from proctoring.session.turns import Queue, Turns

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clocks:
    """What a pool measures with, in seconds."""

    wall: Callable[[], float] = time.perf_counter
    thread: Callable[[], float] = time.thread_time
    """CPU time of the thread that asks."""
    process: Callable[[], float] = time.process_time
    """CPU time of the whole process."""


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
    decided: Callable[[], SessionRate]
    """The rate at which its session is to be analysed now."""
    set_suspicious: Callable[[bool], None]
    """Whether something holds in its session that is, or may become, an incident: others are then
    slowed down first."""


class WorkerPool:
    """Threads that serve queues in turn: first come, first served, one step per turn.

    A queue waits for its turn at most once however often it is scheduled, so a session that sends
    more than others gets no more turns.

    Background queues are for steps that take longer than a frame may wait. They are served while no
    other queue is ready, or after ``turns.MAX_BACKGROUND_WAIT``. With more than one worker, one is never
    given to them.

    Beside the workers there is one thread for short functions that must not wait while every worker is
    occupied (``run_aside``).

    Under overload rates fall (``load.next_rates``): those of all sessions if the workers cannot keep up
    with them together, that of one session if it needs more than one worker.

    Args:
        workers: number of threads.
        cores: that the process may use; ``None``: as many as workers.
        name: prefix of the threads' names.
        clocks: what it measures with.
    """

    def __init__(
        self,
        workers: int,
        *,
        cores: float | None = None,
        name: str = "analysis",
        clocks: Clocks | None = None,
    ) -> None:
        self._clocks = clocks or Clocks()
        self._clock = self._clocks.wall
        self._condition = Condition()
        self._turns = Turns(workers, self._clock(), cores=cores, process_cpu=self._clocks.process())
        """Guarded by the condition."""
        self._stopping = False
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
            self._turns.clear()
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
        with self._condition:
            queue = self._turns.add(step, background=background)
        return SerialQueue(
            schedule=partial(self._schedule, queue),
            reschedule=partial(self._reschedule, queue),
            close=partial(self._close, queue),
            decided=lambda: queue.decided,
            set_suspicious=partial(setattr, queue, "suspicious"),
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
        return self._turns.waiting

    @property
    def rate(self) -> float:
        """Share of the full rate that the sessions together allow, ``MIN_RATE`` to 1."""
        return self._turns.rates.shared

    @property
    def demand(self) -> Demand:
        """Measured over the last review period."""
        return self._turns.demand

    @property
    def needed(self) -> float:
        """Share of the workers' capacity that all sessions would use at the full rate, by the last review;
        more than 1 if it is too much."""
        return self._turns.rates.needed

    @property
    def active(self) -> int:
        """How many queues, those in the background not counted, ran in the last review period."""
        return self._turns.active

    def update_rates(self) -> None:
        """Set all rates by the demand measured, once per ``turns.REVIEW_PERIOD``. To be called often."""
        with self._condition:
            self._turns.review(self._clock(), self._clocks.process())

    def _schedule(self, queue: Queue) -> None:
        with self._condition:
            if not self._stopping and self._turns.schedule(queue, self._clock()):
                self._condition.notify()

    def _reschedule(self, queue: Queue) -> None:
        with self._condition:
            queue.continues = True
        self._schedule(queue)

    def _close(self, queue: Queue) -> None:
        with self._condition:
            self._turns.close(queue)

    def _run(self) -> None:
        while self._run_step():
            pass

    def _run_step(self) -> bool:
        """Run one step; false if the pool is stopping. A function of its own, so that a waiting
        thread holds no reference to a session that has ended."""
        queue = self._next()
        if queue is None:
            return False
        began = self._clocks.thread()
        try:
            queue.step()
        except Exception:  # noqa: BLE001  # must not affect other sessions
            self.failures += 1
            _log.exception("a session's step failed")
        self._finish(queue, self._clocks.thread() - began)
        return True

    def _next(self) -> Queue | None:
        """Wait for a queue whose turn it is; ``None`` if the pool is stopping."""
        with self._condition:
            while (queue := self._turns.start_next(self._clock())) is None and not self._stopping:
                self._condition.wait()
            return queue

    def _finish(self, queue: Queue, cpu: float) -> None:
        with self._condition:
            if not self._stopping and self._turns.finish(queue, self._clock(), cpu):
                self._condition.notify()
