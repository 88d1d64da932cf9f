"""The index of a batch: which recording has which content, and what its result says.

An SQLite file beside the results, so that neither their number nor their size costs memory. It repeats
what the recordings and the results say: without it the next run reads them again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from proctoring.batch.findings import Findings, Outcome
from proctoring.batch.sources import Source
from proctoring.errors import SettingsError

_FORMAT = 1
"""Of the tables; an index of another format is made anew."""

_PAGE = 500
"""Rows that are read at a time, so that others can be written in between."""

_FINDINGS = tuple(field.name for field in fields(Findings))

_TABLES = f"""
CREATE TABLE recordings (
    name BLOB PRIMARY KEY, run INTEGER NOT NULL, position INTEGER NOT NULL, location BLOB NOT NULL,
    state TEXT NOT NULL, digest TEXT, problem TEXT
);
CREATE INDEX recordings_in_order ON recordings (run, position);
CREATE TABLE results (how TEXT, digest TEXT, {", ".join(_FINDINGS)}, PRIMARY KEY (how, digest));
PRAGMA user_version = {_FORMAT};
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of this run."""

    name: str
    location: str
    digest: str | None
    """Of its content, if that is known from an earlier run and has not changed since."""
    position: int
    """Its place in the run, from 1."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary."""

    name: str
    digest: str | None
    findings: Findings


class Index:
    """Of one folder of results.

    Args:
        path: the file; made if it is absent, anew if it is damaged.
        how: names the way of analysing; see ``options.Options``.

    Raises:
        SettingsError: the file cannot be written.
    """

    def __init__(self, path: Path, how: str) -> None:
        self._how = how
        try:
            self._database = _opened(path)
            last = self._database.execute("SELECT max(run) FROM recordings").fetchone()[0] or 0
        except sqlite3.Error as error:
            raise SettingsError(f"{path}: {error}") from error
        self._run = last + 1

    def list(self, sources: Iterable[Source]) -> int:
        """Note what is to be analysed. Returns how many recordings that are."""
        rows = (
            (_bytes(one.name), self._run, position, _bytes(one.location), one.state)
            for position, one in enumerate(sources, 1)
        )
        with self._database:
            self._database.executemany(
                "INSERT INTO recordings (name, run, position, location, state) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET run = excluded.run, position = excluded.position, "
                "problem = NULL, location = excluded.location, state = excluded.state, digest = CASE "
                "WHEN state != '' AND state = excluded.state AND location = excluded.location "
                "THEN digest END",
                rows,
            )
        found = self._database.execute(
            "SELECT count(*) FROM recordings WHERE run = ?", (self._run,)
        )
        return int(found.fetchone()[0])

    def recordings(self) -> Iterator[Recording]:
        """The recordings of this run, in order."""
        position = 0
        while rows := self._database.execute(
            "SELECT name, location, digest, position FROM recordings "
            "WHERE run = ? AND position > ? ORDER BY position LIMIT ?",
            (self._run, position, _PAGE),
        ).fetchall():
            for name, location, digest, position in rows:
                yield Recording(_name(name), _name(location), digest, position)

    def set_digest(self, name: str, digest: str) -> None:
        """Note the digest of a recording's content."""
        with self._database:
            self._database.execute(
                "UPDATE recordings SET digest = ? WHERE name = ?", (digest, _bytes(name))
            )

    def set_problem(self, name: str, digest: str | None, problem: str) -> None:
        """Note why a recording, and others of the same content, have no result."""
        with self._database:
            self._database.execute(
                "UPDATE recordings SET problem = ? WHERE run = ? AND (name = ? OR digest = ?)",
                (_plain(problem), self._run, _bytes(name), digest),
            )

    def has_result(self, digest: str) -> bool:
        """Whether the findings of this content are known."""
        found = self._database.execute(
            "SELECT 1 FROM results WHERE how = ? AND digest = ?", (self._how, digest)
        )
        return found.fetchone() is not None

    def add_result(self, digest: str, findings: Findings) -> None:
        """Note what the result for this content says."""
        values = (self._how, digest, *(_plain(value) for value in astuple(findings)))
        with self._database:
            self._database.execute(
                f"INSERT OR REPLACE INTO results VALUES ({', '.join('?' * len(values))})",  # noqa: S608
                values,
            )

    def lines(self) -> Iterator[Line]:
        """Every recording of this run that has a result or a problem, by the weight of its findings: most
        violations first, then most warnings; what failed is last."""
        columns = ", ".join(f"results.{name}" for name in _FINDINGS)
        rows = self._database.execute(
            f"SELECT name, recordings.digest, problem, {columns} FROM recordings "  # noqa: S608
            "LEFT JOIN results ON results.digest = recordings.digest AND how = ? "
            "WHERE run = ? AND (outcome IS NOT NULL OR problem IS NOT NULL) "
            "ORDER BY outcome IS NULL, outcome = 'failed', violations DESC, warnings DESC, infos DESC, "
            "position",
            (self._how, self._run),
        )
        for name, digest, problem, *values in rows:
            found = (
                Findings("failed", problem, 0.0, 0.0, 0, 0, 0, 0, "")
                if values[0] is None
                else Findings(*values)
            )
            yield Line(_name(name), digest, found)

    def outcomes(self) -> dict[Outcome, int]:
        """How many recordings of this run ended how."""
        found = self._database.execute(
            "SELECT coalesce(outcome, 'failed'), count(*) FROM recordings "
            "LEFT JOIN results ON results.digest = recordings.digest AND how = ? "
            "WHERE run = ? AND (outcome IS NOT NULL OR problem IS NOT NULL) GROUP BY 1",
            (self._how, self._run),
        )
        return dict(found.fetchall())

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _opened(path: Path) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path)
        if database.execute("PRAGMA user_version").fetchone()[0] == _FORMAT:
            database.execute("SELECT count(*) FROM recordings, results LIMIT 0")
            return _quick(database)
        database.close()
    except sqlite3.DatabaseError:
        database.close()
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    database = sqlite3.connect(path)
    database.executescript(_TABLES)
    return _quick(database)


def _quick(database: sqlite3.Connection) -> sqlite3.Connection:
    """Without waiting for the disk: what a power cut damages is made again."""
    database.execute("PRAGMA synchronous = OFF")
    return database


def _bytes(name: str) -> bytes:
    """As the file system has it: names of files need not be Unicode."""
    return name.encode("utf-8", "surrogateescape")


def _name(stored: bytes) -> str:
    return stored.decode("utf-8", "surrogateescape")


def _plain(value: object) -> object:
    """Text that SQLite takes."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
