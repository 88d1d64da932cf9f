"""Adapts the rate of analysis to the load of the workers."""

from __future__ import annotations

from dataclasses import dataclass

MIN_RATE = 0.1
"""Lowest share of the full rate: faces once per second. Lower rates would miss short glances."""

MAX_WAIT = 0.05
"""Seconds of waiting for a worker above which the machine counts as overloaded. Leaves 50 ms for the
analysis within the latency goal of 100 ms."""

BUSY = 0.85
"""Share of the workers' time in use above which waiting means overload. Below it, frames of several
sessions merely arrived at the same moment, and lower rates would not help."""

RELAXED = 0.7
"""Share of the workers' time in use below which rates are raised again."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand for workers, measured over one period."""

    wait: float
    """90th percentile of the seconds that sessions waited for a worker."""
    busy: float
    """Share of the workers' time in use, 0 to 1."""


def next_rate(rate: float, demand: Demand) -> float:
    """The share of the full rate (``MIN_RATE`` to 1) for the next period.

    Falls in proportion to the excess, by half at most, and rises slowly, so that it converges.
    """
    if demand.busy > BUSY and demand.wait > MAX_WAIT:
        return max(MIN_RATE, rate * min(0.95, max(0.5, MAX_WAIT / demand.wait)))
    if demand.busy < RELAXED:
        return min(1.0, rate + 0.05)
    return rate
