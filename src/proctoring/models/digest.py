"""SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

_State = tuple[int, int, int, int, int]


def sha256_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_known: dict[Path, tuple[_State, str]] = {}
"""Digests that this process has computed, with the state of the file at that time."""


def digest_of(path: Path) -> str:
    """The same, computed once per process while the file is not touched.

    A process that reads a file twice trusts the second time what it saw the first; a change that keeps
    device, inode, size and both times is not noticed before the next start.
    """
    state = _state(path)
    known = _known.get(path)
    if known is None or known[0] != state:
        known = _known[path] = (state, sha256_of(path))
    return known[1]


def _state(path: Path) -> _State:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
