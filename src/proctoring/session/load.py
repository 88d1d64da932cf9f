"""How fast to analyse: the one number that flows back up."""

from __future__ import annotations

from dataclasses import dataclass

MIN_RATE = 0.1
"""The lowest share of the full rate: faces once a second. Lower, and short glances are lost."""

MAX_WAIT = 0.05
"""Seconds that a session may wait for a worker before its machine counts as overloaded; with the
analysis itself this leaves the contract's 100 ms."""

BUSY = 0.85
"""Share of the workers' time in use above which waiting means overload. Below it, waiting only
means that many sessions' frames came at the same moment, and lower rates would not help."""

RELAXED = 0.7
"""Share of the workers' time in use below which rates rise again."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What the workers saw in one period."""

    wait: float
    """Seconds that sessions waited for a worker: the 90th percentile."""
    busy: float
    """Share of the workers' time in use, 0 to 1."""


def next_rate(rate: float, demand: Demand) -> float:
    """The share of the full rate (``MIN_RATE`` to 1) at which every session is analysed next.

    Falls fast in proportion to the excess (never below half at once), rises slowly: so it settles
    instead of swinging.
    """
    if demand.busy > BUSY and demand.wait > MAX_WAIT:
        return max(MIN_RATE, rate * min(0.95, max(0.5, MAX_WAIT / demand.wait)))
    if demand.busy < RELAXED:
        return min(1.0, rate + 0.05)
    return rate
