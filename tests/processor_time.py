"""Limits of time that hold on a busy machine: of processor time, not of the clock."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def processor_seconds(work: Callable[[], object]) -> float:
    """Processor time of this thread that ``work`` takes: the least of three times, without garbage
    collection, which would cost whoever allocates next as much as all objects of a test process."""
    taken = []
    collects = gc.isenabled()
    gc.disable()
    try:
        for _ in range(3):
            began = time.thread_time()
            work()
            taken.append(time.thread_time() - began)
    finally:
        if collects:
            gc.enable()
    return min(taken)
