"""Files beside a recording: references that are read, outputs that are written."""

from __future__ import annotations

import os
from pathlib import Path

from proctoring.errors import SettingsError

FilePath = str | os.PathLike[str]


def read_limited(source: FilePath | bytes, limit: int) -> bytes:
    """The content of a file of at most ``limit`` bytes.

    One byte more than ``limit`` is returned of a larger file, so that its decoder refuses it.

    Raises:
        SettingsError: the file cannot be read.
    """
    if isinstance(source, bytes):
        return source
    try:
        with Path(source).open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise SettingsError(f"{source}: {error.strerror or error}") from error


def check_output(output: FilePath, recording: FilePath) -> None:
    """Check that a file can be written before the analysis, not after it.

    Raises:
        SettingsError: it cannot be written, or would overwrite the recording.
    """
    path = Path(output)
    if path.exists() and Path(recording).exists() and path.samefile(recording):
        raise SettingsError(f"{path}: would overwrite the recording")
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise SettingsError(f"{path}: cannot be written")
