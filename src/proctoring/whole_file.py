"""Writes a file that others see whole or not at all, also after a power cut."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, *parts: bytes) -> None:
    """Write these parts, one after the other, as ``write_stream`` does.

    Raises:
        OSError: it cannot be written.
    """
    write_stream(path, parts)


def write_stream(path: Path, parts: Iterable[bytes]) -> None:
    """Write beside the file, flush to disk, then name it. A process that is killed leaves a file whose name
    begins with a full stop and ends with ``.unfinished``.

    Raises:
        OSError: it cannot be written.
    """
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=".", suffix=".unfinished", delete=False
    ) as file:
        try:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
