"""Keeps one fault from filling the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock

_MAX_FAULTS = 256
"""Different faults that are remembered; then all are forgotten."""


class OncePerSecond(logging.Filter):
    """Log filter: passes each fault once a second. The next line says how many were left out.

    The same fault has the same logger, message before its values are inserted, and kind of exception.

    Args:
        now: monotonic clock, seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._lock = Lock()
        self._last: dict[object, float] = {}
        self._left_out: dict[object, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record."""
        if record.levelno < logging.WARNING:
            return True
        exception = record.exc_info[0] if record.exc_info else None
        fault = (record.name, record.levelno, str(record.msg)[:200], exception)
        now = self._now()
        with self._lock:
            if now - self._last.get(fault, float("-inf")) < 1.0:
                self._left_out[fault] = self._left_out.get(fault, 0) + 1
                return False
            if len(self._last) >= _MAX_FAULTS:
                self._last.clear()
                self._left_out.clear()
            self._last[fault] = now
            left_out = self._left_out.pop(fault, 0)
        if left_out:
            record.msg = f"{record.getMessage()} ({left_out} more since the last such line)"
            record.args = ()
        return True
