"""How much CPU time the workers can get: pure functions.

A step that waits for a core, since the event loop or another program has it, takes long without needing much. So what
sessions need is counted in CPU time, and compared with the CPU time that the workers can get: the cores, less what
the other threads of this process use. Where other programs take their share too, that is less. It shows when the workers
are never idle and frames wait all the same: then what they used is all that they can get.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_WAIT = 0.05
"""Seconds of waiting for a worker above which the machine counts as overloaded. Leaves 50 ms for the
analysis within the latency goal of 100 ms."""

NEVER_IDLE = 0.95
"""Share of the workers' wall time in use above which they are never idle: between two steps a thread is woken."""

RELAXED = 0.75
"""Share of the workers' time in use below which rates are raised again, and more CPU time is expected to be there."""

GROWTH = 1.25
"""Factor by which the CPU time that workers are found to get grows in one period at most, up to what steps get while
they run."""

SLOW_GROWTH = 1.05
"""The same beyond that: an idle core may be there, or another program that takes it."""

SMOOTHING = 0.3
"""Share of the newest measurement in a smoothed value: a second holds few frames at low rates, and an object
detection or none."""

LEAST = 0.05
"""CPU seconds per second that the workers are taken to get at least."""


@dataclass(frozen=True, slots=True)
class Use:
    """What was used in one period, per second."""

    occupied: float
    """Share of the workers' wall time in which steps ran, whether they computed or waited for a core, 0 to 1."""
    cpu: float
    """CPU seconds of the workers."""
    other_cpu: float
    """CPU seconds of the other threads of this process."""
    wait: float
    """90th percentile of the seconds that sessions waited for a worker."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """The CPU time that the workers can get."""

    cpu: float
    """CPU seconds per second."""
    other_cpu: float = 0.0
    """What the other threads of this process use of the same, smoothed."""
    found: float | None = None
    """What they were found to get while they were never idle; ``None``: they were not, or it has grown beyond."""
    saturated: bool = False
    """Whether they were never idle in the last period, and frames waited."""


def next_capacity(before: Capacity, use: Use, workers: int, cores: float) -> Capacity:
    """The CPU time that the workers can get, with one period's measurement.

    Args:
        before: as of the period before.
        use: of this period.
        workers: threads.
        cores: that this process may use.
    """
    other = before.other_cpu + SMOOTHING * (use.other_cpu - before.other_cpu)
    most = max(LEAST, min(workers, cores - other))
    found = before.found
    saturated = use.occupied >= NEVER_IDLE and use.wait > MAX_WAIT
    if saturated and before.saturated:  # one bad second is chance
        found = max(LEAST, use.cpu)
    elif found is not None and use.occupied < RELAXED:
        while_running = workers * use.cpu / use.occupied if use.occupied else most
        found = max(SLOW_GROWTH * found, min(GROWTH * found, while_running))
    if found is not None and found >= most:
        found = None
    return Capacity(most if found is None else found, other, found, saturated)
