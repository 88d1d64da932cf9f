"""What a place for evidence can do, and the one that is a folder."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from proctoring.errors import EvidenceUnavailableError, UnknownEvidenceError

_DIGEST = re.compile(r"[0-9a-f]{64}")


class EvidenceStore(Protocol):
    """Bytes by name. Safe from many threads at once.

    Every method may raise ``EvidenceUnavailableError``: the place cannot be reached or used now.
    """

    name: str
    """``folder``, ``s3``: for health."""

    def put(self, digest: str, data: bytes) -> None:
        """Keep ``data``: on return it is durable. What stood under the name is replaced."""

    def get(self, digest: str) -> bytes:
        """What is kept under the name.

        Raises:
            UnknownEvidenceError: nothing is.
        """

    def delete(self, digest: str) -> None:
        """Keep it no longer. Nothing happens if nothing is kept."""

    def check(self) -> None:
        """Raise if nothing could be kept now."""


def checked_digest(digest: str) -> str:
    """The digest itself, when it is one: names from outside become paths.

    Raises:
        UnknownEvidenceError: it is no digest, so nothing can be kept under it.
    """
    if not _DIGEST.fullmatch(digest):
        raise UnknownEvidenceError("no evidence has such a digest: 64 hexadecimal digits")
    return digest


class FolderStore:
    """One file for each piece, in 256 subfolders; readable by the server's user alone.

    A file gets its name only when it is complete and on disk.
    """

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, digest: str, data: bytes) -> None:
        """Write, flush to disk, then name."""
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(
                dir=path.parent, prefix=".", suffix=".unfinished", delete=False
            ) as file:
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    Path(file.name).replace(path)
                except BaseException:
                    Path(file.name).unlink(missing_ok=True)
                    raise
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
        """See that the folder, or the nearest one above that exists, can be written to."""
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
        return  # Windows has no handle of a folder to flush
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
