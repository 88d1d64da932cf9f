"""Memory of the C library's heap, as far as glibc can be told; elsewhere nothing happens.

Networks are read and compiled with several times the memory that they need afterwards. It is free then, but stays with
the process: 60 MiB of the speaker embedding alone (``uv run python -m benchmarks.memory``).
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_ARENA_MAX = -8
"""From glibc's ``malloc.h``."""


def limit_arenas(count: int) -> None:
    """Use at most this many heaps; by default each thread has one of its own, up to eight per core.

    To be called before threads are started. Threads that allocate at the same moment may wait for each other.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, count)


def return_free_memory() -> None:
    """Give free memory back to the system."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
