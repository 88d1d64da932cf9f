"""The interface of evidence stores, and the one that is a folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Protocol

from proctoring.errors import EvidenceUnavailableError, UnknownEvidenceError
from proctoring.whole_file import write_whole

_DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceStore(Protocol):
    """Stores bytes by name. Safe from many threads at once.

    Every method may raise ``EvidenceUnavailableError``: the store cannot be used now.
    """

    name: str
    """``folder``, ``s3``: for health."""

    def put(self, digest: str, data: bytes) -> None:
        """Store ``data`` under the name, in place of what was there. Durable on return."""

    def get(self, digest: str) -> bytes:
        """The bytes stored under the name.

        Raises:
            UnknownEvidenceError: there are none.
        """

    def delete(self, digest: str) -> None:
        """Delete what is stored under the name, if anything."""

    def check(self) -> None:
        """Raise if nothing could be stored now."""


def checked_digest(digest: str) -> str:
    """Return the digest if it is one: names from requests become paths.

    Raises:
        UnknownEvidenceError: it is none, so nothing is stored under it.
    """
    if not _DIGEST.fullmatch(digest):
        raise UnknownEvidenceError("no evidence has such a digest: 64 hexadecimal digits")
    return digest


class FolderStore:
    """One file for each piece of evidence, in 256 subfolders, readable by the server's user alone.

    A file gets its final name when it is complete and on disk.
    """

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, data: bytes) -> None:
        """Write, flush to disk, then name."""
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, data)
            _sync_folder(path.parent)
        except OSError as error:
            raise self._unavailable(error) from error

    def get(self, digest: str) -> bytes:
        """Read a file."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise UnknownEvidenceError("no such evidence is stored") from error
        except OSError as error:
            raise self._unavailable(error) from error

    def delete(self, digest: str) -> None:
        """Remove a file."""
        path = self._path(digest)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                _sync_folder(path.parent)
        except OSError as error:
            raise self._unavailable(error) from error

    def check(self) -> None:
        """Check that the folder, or the nearest existing one above it, can be written to."""
        existing = self._folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            raise EvidenceUnavailableError(f"evidence folder {self._folder}: cannot be written to")

    def _path(self, digest: str) -> Path:
        return self._folder / checked_digest(digest)[:2] / digest

    def _unavailable(self, error: OSError) -> EvidenceUnavailableError:
        return EvidenceUnavailableError(
            f"evidence folder {self._folder}: {error.strerror or error}"
        )


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return  # Windows cannot flush a folder
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
