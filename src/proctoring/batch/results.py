"""The folder that a batch writes.

::

    OUT/index.sqlite3              the index (``index.py``)
    OUT/summary.csv, summary.html  of the last run
    OUT/results/HOW/how.json       policy, options and version
    OUT/results/HOW/SHA256.json    one for each content
    OUT/.lock                      held by the run that writes
"""

from __future__ import annotations

import json
from pathlib import Path

from filelock import FileLock, Timeout

from proctoring.batch.findings import Findings, findings_of
from proctoring.batch.index import Index
from proctoring.batch.options import Options
from proctoring.errors import SettingsError
from proctoring.whole_file import write_whole


class Results:
    """A context manager: the results of one way of analysing, and the index of this run.

    Raises:
        SettingsError: the folder cannot be written, or another run writes it; from ``__init__``.
    """

    def __init__(self, folder: Path, options: Options) -> None:
        self.folder = folder
        self.options = options
        self._results = folder / "results" / options.how
        self._lock = FileLock(folder / ".lock")
        try:
            self._results.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise SettingsError(f"{folder}: another batch writes there") from error
        except OSError as error:
            raise SettingsError(f"{folder}: {error.strerror or error}") from error
        try:
            how = json.dumps(options.to_json(), indent=2) + "\n"
            write_whole(self._results / "how.json", how.encode())
            self.index = Index(folder / "index.sqlite3", options.how)
        except OSError as error:
            self._lock.release()
            raise SettingsError(f"{folder}: {error.strerror or error}") from error
        except SettingsError:
            self._lock.release()
            raise

    def __enter__(self) -> Results:
        return self

    def __exit__(self, *_: object) -> None:
        self.index.close()
        self._lock.release()

    def path(self, digest: str) -> Path:
        """The result for this content."""
        return self._results / f"{digest}.json"

    def has(self, digest: str) -> bool:
        """Whether this content has been analysed."""
        path = self.path(digest)
        if self.index.has_result(digest):
            return path.is_file()
        try:
            self.index.add_result(digest, findings_of(path.read_bytes()))
        except (OSError, ValueError):  # absent; or damaged, and to be made again
            return False
        return True

    def add(self, digest: str, result: bytes) -> Findings:
        """Keep a result: it is on disk when this returns.

        Raises:
            SettingsError: it cannot be written.
        """
        findings = findings_of(result)
        try:
            write_whole(self.path(digest), result)
        except OSError as error:
            raise SettingsError(f"{self.folder}: {error.strerror or error}") from error
        self.index.add_result(digest, findings)
        return findings
