"""Whose turn it is, and at which rate: the state of a worker pool, without threads or a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from proctoring.session.capacity import Capacity, Use, next_capacity
from proctoring.session.load import Demand, Rates, SessionLoad, SessionRate, next_rates

REVIEW_PERIOD = 1.0
"""Seconds over which demand is measured. Long enough for several runs of every analyser that has a
fixed rate."""

MAX_BACKGROUND_WAIT = 1.0
"""Seconds that a background queue waits while others have work: the period of object detection.
After that, every other turn goes to background queues, the longest-waiting first. A higher value
keeps frames fast for longer under overload."""


@dataclass(slots=True, eq=False)
class Queue:
    """One serial queue. Times are those given to ``Turns``."""

    step: Callable[[], None]
    background: bool = False
    decided: SessionRate = field(default_factory=SessionRate)
    """Its session's rate, as of the last review."""
    suspicious: bool = False
    """Whether its session is slowed down after others."""
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
    occupied: float = 0.0
    """Seconds of this review period in which its step ran, whether it computed or waited for a core."""
    cpu: float = 0.0
    """CPU seconds of the same."""
    counted: float = 0.0
    """Those that were counted for the running step in the period before."""
    turns: int = 0
    """Steps that began in this review period."""
    waits: list[float] = field(default_factory=list)
    """Seconds that steps of this period waited for a free worker."""
    own_waits: list[float] = field(default_factory=list)
    """Seconds that steps waited for the queue's own previous step."""


class Turns:
    """First come, first served, one step per turn; background queues as ``WorkerPool`` says.

    Not thread-safe. ``now`` is in seconds of one clock.

    Args:
        workers: how many there are.
        cores: that the process may use; ``None``: as many as workers.
        now: the present time.
        process_cpu: CPU seconds that the process has used so far.
    """

    def __init__(
        self, workers: int, now: float, *, cores: float | None = None, process_cpu: float = 0.0
    ) -> None:
        self._workers = workers
        self._cores = float(workers) if cores is None else cores
        self._process_cpu = process_cpu
        """At the start of the review period."""
        self.capacity = Capacity(float(workers))
        """Of the last review."""
        self._ready: deque[Queue] = deque()
        self._ready_background: list[Queue] = []
        self._queues: set[Queue] = set()
        self._running = 0
        self._running_background = 0
        self._last_was_background = False
        """Whether the last turn was a background queue's."""
        self._period_start = now
        self.rates = Rates()
        """Of the last review."""
        self.demand = Demand(0.0, 0.0)
        """Measured over the last review period."""
        self.active = 0
        """Queues in the foreground that ran in the last review period."""

    @property
    def waiting(self) -> int:
        """Queues that wait for a worker."""
        return len(self._ready) + len(self._ready_background)

    def add(self, step: Callable[[], None], *, background: bool) -> Queue:
        """A new queue, at the rate of the others."""
        queue = Queue(step, background, SessionRate(self.rates.shared))
        self._queues.add(queue)
        return queue

    def schedule(self, queue: Queue, now: float) -> bool:
        """Have a queue run once more. Returns whether it waits for a worker since now."""
        if queue.closed or queue.queued or queue.again:
            return False
        queue.scheduled_at = now
        queue.again = queue.running
        if not queue.running:
            self._enqueue(queue, now)
        return queue.queued

    def close(self, queue: Queue) -> None:
        """Let a queue run no more."""
        queue.closed = True
        self._queues.discard(queue)
        if queue.queued:
            queue.queued = False
            (self._ready_background if queue.background else self._ready).remove(queue)

    def clear(self) -> None:
        """Forget what waits."""
        self._ready.clear()
        self._ready_background.clear()

    def start_next(self, now: float) -> Queue | None:
        """The queue whose turn it is, which counts as running; ``None`` if none is ready."""
        queue = self._choose(now)
        if queue is None:
            return None
        queue.started_at = now
        queue.turns += 1
        if not queue.background:  # waiting of background queues is no sign of overload
            queue.waits.append(now - queue.queued_at if queue.crowded else 0.0)
            if not queue.again:
                queue.own_waits.append(0.0)
        queue.queued = queue.again = False
        queue.running = True
        self._running += 1
        self._running_background += queue.background
        self._last_was_background = queue.background
        return queue

    def finish(self, queue: Queue, now: float, cpu: float) -> bool:
        """A queue's step has ended.

        Args:
            queue: it.
            now: the present time.
            cpu: CPU seconds that the step took.

        Returns:
            Whether the queue waits for a worker again.
        """
        queue.occupied += now - queue.started_at
        queue.cpu += max(0.0, cpu - queue.counted)
        queue.counted = 0.0
        queue.running = False
        self._running -= 1
        self._running_background -= queue.background
        if not queue.again or queue.closed:
            return False
        queue.own_waits.append(now - queue.scheduled_at)
        self._enqueue(queue, now)
        return True

    def review(self, now: float, process_cpu: float) -> None:
        """Set all rates by the demand measured, once per ``REVIEW_PERIOD``.

        Args:
            now: the present time.
            process_cpu: CPU seconds that the process has used so far.
        """
        period = now - self._period_start
        if period < REVIEW_PERIOD:
            return
        self._period_start = now
        waits: list[float] = []
        in_front = [queue for queue in self._queues if not queue.background]
        loads = {queue: _measure(queue, period, now, waits) for queue in self._queues}
        wait, cpu = percentile_90(waits), sum(load.cpu for load in loads.values())
        used = Use(
            occupied=sum(load.occupied for load in loads.values()) / self._workers,
            cpu=cpu,
            other_cpu=max(0.0, (process_cpu - self._process_cpu) / period - cpu),
            wait=wait,
        )
        self._process_cpu = process_cpu
        self.capacity = next_capacity(self.capacity, used, self._workers, self._cores)
        self.demand = Demand(wait, min(1.0, cpu / self.capacity.cpu))
        self.active = sum(loads[queue].occupied > 0.0 for queue in in_front)
        self.rates = next_rates(
            self.rates, [loads[queue] for queue in in_front], self.demand, self.capacity.cpu
        )
        for queue, decided in zip(in_front, self.rates.sessions, strict=True):
            queue.decided = decided

    def _enqueue(self, queue: Queue, now: float) -> None:
        queue.queued = True
        queue.queued_at = now
        if not queue.continues:
            queue.waiting_since = now
        queue.continues = False
        queue.crowded = self._running + len(self._ready) >= self._workers
        (self._ready_background if queue.background else self._ready).append(queue)

    def _choose(self, now: float) -> Queue | None:
        """Remove and return the queue whose turn it is; ``None`` if none is ready."""
        if self._ready_background and self._running_background < max(1, self._workers - 1):
            oldest = min(self._ready_background, key=lambda queue: queue.waiting_since)
            overdue = now - oldest.waiting_since > MAX_BACKGROUND_WAIT
            if not self._ready or (overdue and not self._last_was_background):
                self._ready_background.remove(oldest)
                return oldest
        return self._ready.popleft() if self._ready else None


def _measure(queue: Queue, period: float, now: float, waits: list[float]) -> SessionLoad:
    """What a queue cost in the period that ends now; begins the next one. Adds its waits for a worker."""
    if queue.running:
        ran = now - queue.started_at
        queue.started_at = now
        queue.occupied += ran
        queue.cpu += ran  # as if it had computed: what it did is known at its end
        queue.counted += ran
    if queue.queued and queue.crowded and not queue.background:
        queue.waits.append(now - queue.queued_at)
    if queue.again and queue.running:
        queue.own_waits.append(now - queue.scheduled_at)
    waits += queue.waits
    load = SessionLoad(
        before=queue.decided,
        cpu=queue.cpu / period,
        occupied=queue.occupied / period,
        turns=queue.turns / period,
        own_wait=median(queue.own_waits or [0.0]),
        waits=queue.queued or queue.again,
        suspicious=queue.suspicious,
    )
    queue.waits, queue.own_waits, queue.turns = [], [], 0
    queue.occupied = queue.cpu = 0.0
    return load


def percentile_90(values: list[float]) -> float:
    """The 90th percentile; 0 of nothing."""
    return sorted(values)[int(0.9 * len(values))] if values else 0.0
