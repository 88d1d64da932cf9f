"""Temporary copies of recordings: removed also when the process that made them was killed."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "proctoring-batch-"
_LOCK = "lock"


class CopyFolder:
    """A temporary folder that is known to be in use, by a lock, for as long as this process lives."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = FileLock(self.path / _LOCK)
        self._lock.acquire()

    def remove(self) -> None:
        """Remove the folder and what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()


def remove_orphans() -> None:
    """Remove the folders of processes of this machine that are gone."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if not (path / _LOCK).is_file():
            continue
        lock = FileLock(path / _LOCK)
        with suppress(Timeout, OSError), lock.acquire(timeout=0):
            shutil.rmtree(path, ignore_errors=True)
