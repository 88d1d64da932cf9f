"""Waiting for what another thread or process does."""

from __future__ import annotations

import time
from collections.abc import Callable

TIMEOUT = 60.0
"""Seconds after which a test that waits for something fails; never waited when all is well."""


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, looking often; the test fails if it is not in time."""
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
