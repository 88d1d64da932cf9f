"""Compiled networks on disk: a network is compiled once per machine and version, and read back afterwards.

They lie in ``.compiled`` in the models folder, as ``NETWORK/KEY``. The key is a digest of everything that the
compiled network follows from: the weights, the code that reads them, OpenVINO, the CPU and the options. A file holds
its key and the digest of its content, both checked whenever it is read; what does not match is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proctoring.whole_file import write_whole

_log = logging.getLogger(__name__)

FOLDER = ".compiled"
"""Name of the folder, in the models folder."""
_MAGIC = b"proctoring compiled network 1\n".ljust(32)
_HEADER = 128
"""Bytes before the content: magic, key and digest of 32 bytes each, and padding, which aligns the content."""
_KEPT = 3
"""Files kept per network: installations that share a models folder may need different ones."""
_OTHERS_MAY_WRITE = 0o022
_PIECE = 1 << 16
"""Bytes written at once. Linux keeps what is written at once together, and maps it together when a part is read:
written whole, 20 MiB of a network of 21 MiB would be resident for the sake of 4 that are used in place."""

Content = NDArray[np.uint8]


class Blob:
    """A compiled network's content. It is mapped, not read: processes share its pages. The network uses part of the
    weights in place, so the file must not be changed while it is loaded.

    Args:
        content: its bytes.
        mapping: the file that they are in, if they are in one.
    """

    def __init__(self, content: Content, mapping: mmap.mmap | None = None) -> None:
        self.content = content
        self._mapping = mapping

    def release_pages(self) -> None:
        """Free the memory of the pages read so far; what is read again comes from the file."""
        if self._mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mapping.madvise(mmap.MADV_DONTNEED)


class CompiledFolder:
    """The folder of compiled networks. Safe for many threads and processes: files are replaced, never changed.

    Args:
        folder: an existing folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, key: bytes) -> Blob | None:
        """The content stored under this key; ``None`` if there is none that can be relied on.

        A file that belongs to somebody else, or that others may write, is not relied on.

        Args:
            name: of the network: a file name.
            key: 32 bytes.
        """
        path = self._path(name, key)
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                if not _is_ours(status):
                    _log.warning("%s is not used: another user may write it", path)
                    return None
                mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:  # ValueError: an empty file
            _log.warning("%s is not used: %s", path, error)
            return None
        if not _is_whole(mapping, key):
            _log.warning("%s is damaged and is made again", path)
            return None
        return Blob(np.frombuffer(mapping, np.uint8, offset=_HEADER), mapping)

    def write(self, name: str, key: bytes, content: bytes) -> Blob:
        """Store content under a key. Where the folder cannot be written, it stays in memory alone."""
        path = self._path(name, key)
        digest = hashlib.sha256(content).digest()
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            pieces = (content[at : at + _PIECE] for at in range(0, len(content), _PIECE))
            write_whole(path, (_MAGIC + key + digest).ljust(_HEADER), *pieces)
            self._remove_old(path)
        except OSError as error:
            _log.info("%s cannot be written: %s", path, error.strerror or error)
        return self.read(name, key) or Blob(np.frombuffer(content, np.uint8))

    def remove(self, name: str, key: bytes) -> None:
        """Remove what is stored under this key."""
        with suppress(OSError):
            self._path(name, key).unlink()

    def _path(self, name: str, key: bytes) -> Path:
        return self._folder / name / key.hex()[:32]

    def _remove_old(self, newest: Path) -> None:
        """Keep the newest files of a network; also remove what an interrupted process left."""
        others = sorted(
            (file for file in newest.parent.iterdir() if file != newest),
            key=lambda file: file.stat().st_mtime,
            reverse=True,
        )
        for file in others[_KEPT - 1 :]:
            with suppress(OSError):
                file.unlink()


def compiled_folder(weights: Path) -> CompiledFolder | None:
    """Where the network of a file in a models folder (``FOLDER/MODEL/FILE``) is kept compiled.

    ``None``: the file is in no models folder, or one that cannot be written.
    """
    folder = weights.parent.parent / FOLDER
    return CompiledFolder(folder) if folder.is_dir() else None


def _is_ours(status: os.stat_result) -> bool:
    if os.name != "posix":
        return True
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & _OTHERS_MAY_WRITE


def _is_whole(mapping: mmap.mmap, key: bytes) -> bool:
    if mapping[: len(_MAGIC)] != _MAGIC or mapping[32:64] != key:
        return False
    with memoryview(mapping) as whole, whole[_HEADER:] as content:
        return hashlib.sha256(content).digest() == mapping[64:96]
