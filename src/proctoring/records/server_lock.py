"""A lock file for each process in its data folder: whether another process on this machine is alive.

The operating system releases the lock when the process ends, however it ends.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from pathlib import Path

from filelock import FileLock, Timeout

_log = logging.getLogger(__name__)

FOLDER = "servers"
"""Of the lock files, in the data folder."""

_LOOK_TIMEOUT = 0.2
"""Seconds to try for a lock: another process may hold it for a moment, only to look."""

IsGone = Callable[[str], bool]
"""Whether the server of this id is known to have ended. May take ``_LOOK_TIMEOUT``."""


def hold(data_folder: Path, server_id: str) -> FileLock | None:
    """Take this process's lock, to be kept until it ends; ``None`` if the folder cannot be used: others then
    find out by its heartbeats."""
    lock = FileLock(_file(data_folder, server_id), thread_local=False, preserve_lock_file=True)
    try:
        _file(data_folder, server_id).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except (OSError, Timeout):
        _log.warning("no lock file can be held in the data folder")
        return None
    return lock


def is_gone(data_folder: Path, server_id: str) -> bool:
    """Whether a server that used this data folder has ended. ``False`` if it lives, or never used it."""
    file = _file(data_folder, server_id)
    if not file.exists():
        return False
    try:
        with FileLock(file, thread_local=False, preserve_lock_file=True).acquire(
            timeout=_LOOK_TIMEOUT, poll_interval=0.02
        ):
            return True
    except (OSError, Timeout):
        return False


def forget(data_folder: Path, server_id: str) -> None:
    """Remove the lock file of a server that has ended and left nothing to continue."""
    _file(data_folder, server_id).unlink(missing_ok=True)


def forget_gone(data_folder: Path, owners: Container[str]) -> None:
    """Remove the lock files of servers that were killed and own nothing any more.

    Args:
        data_folder: holds them.
        owners: servers whose sittings are open.
    """
    for file in (data_folder / FOLDER).glob("*.lock"):
        if file.stem not in owners and is_gone(data_folder, file.stem):
            file.unlink(missing_ok=True)


def _file(data_folder: Path, server_id: str) -> Path:
    return data_folder / FOLDER / f"{server_id}.lock"
