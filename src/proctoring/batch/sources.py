"""What a batch analyses: the recordings of a folder, a list or an S3 prefix."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from proctoring.batch import s3
from proctoring.errors import SettingsError

SUFFIXES = frozenset(
    (
        ".3gp", ".aac", ".avi", ".flac", ".flv", ".m2ts", ".m4a", ".m4v",
        ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts",
        ".oga", ".ogg", ".ogv", ".opus", ".ts", ".wav", ".webm", ".wma",
        ".wmv",
    )
)  # fmt: skip
"""Of video and audio files. Other files of a folder or a prefix are left out; a list may name any."""

STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One recording."""

    name: str
    """Relative to the folder or prefix; as written in a list. Unique within a batch."""
    location: str
    """An absolute path, or ``s3://bucket/key``."""
    state: str
    """Changes when the content does: size and time of change, or S3's tag. Empty: not known."""


def find_sources(given: str, output: Path) -> Iterator[Source]:
    """The recordings that ``given`` names, in a fixed order.

    Args:
        given: a folder, a recording, a file with one path or ``s3://`` address a line, ``-`` for such
            lines on standard input, or ``s3://bucket/prefix``.
        output: a folder that is left out, should it be inside.

    Raises:
        SettingsError: there is nothing of that name, or it cannot be read.
    """
    if given.startswith(s3.SCHEME):
        return _below_prefix(given)
    if given == STANDARD_INPUT:
        return _listed(sys.stdin)
    path = Path(given)
    if path.is_dir():
        return _in_folder(path, output.resolve())
    if not path.exists():
        raise SettingsError(f"{given}: no such folder or list")
    if path.suffix.lower() in SUFFIXES:
        return iter([_file(path.name, path)])
    return _lines(path)


def location_state(location: str) -> str:
    """``Source.state`` of a location, now."""
    if location.startswith(s3.SCHEME):
        return s3.state(location)
    try:
        found = Path(location).stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _in_folder(folder: Path, output: Path) -> Iterator[Source]:
    """Hidden files and folders, links to folders, and what is no regular file are left out."""
    problems: list[OSError] = []
    for where, folders, files in os.walk(folder, onerror=problems.append):
        at = Path(where)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and (at / name).resolve() != output
        )
        for name in sorted(files):
            path = at / name
            if name[0] != "." and path.suffix.lower() in SUFFIXES and path.is_file():
                yield _file(path.relative_to(folder).as_posix(), path)
        if problems:
            raise SettingsError(f"{problems[0].filename}: {problems[0].strerror}")


def _below_prefix(address: str) -> Iterator[Source]:
    bucket, prefix = s3.split(address)
    for key, state in s3.objects(address):
        if PurePosixPath(key).suffix.lower() in SUFFIXES:
            name = key.removeprefix(prefix).lstrip("/") or key
            yield Source(name, f"{s3.SCHEME}{bucket}/{key}", state)


def _lines(path: Path) -> Iterator[Source]:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            yield from _listed(file)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from error


def _listed(lines: Iterable[str]) -> Iterator[Source]:
    for line in lines:
        name = line.rstrip("\r\n")
        if "\0" in name:
            raise SettingsError("the list of recordings is not text with one path a line")
        if name.startswith(s3.SCHEME):
            yield Source(name, name, location_state(name))
        elif name.strip():
            yield _file(name, Path(name))


def _file(name: str, path: Path) -> Source:
    location = str(path.absolute())
    return Source(name, location, location_state(location))
