"""CPU time of one call."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np


def median_and_most(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and 99th percentile of this thread's CPU time for one call, in seconds."""
    costs = []
    for _ in range(rounds):
        began = time.thread_time()
        work()
        costs.append(time.thread_time() - began)
    return float(np.quantile(costs, 0.5)), float(np.quantile(costs, 0.99))
