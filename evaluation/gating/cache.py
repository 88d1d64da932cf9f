"""Ungated results, kept in the temporary folder for as long as the code they come from is the same."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from tempfile import gettempdir

import proctoring
from evaluation.gating.sessions import Look, Result
from proctoring.incidents import IncidentSummary, Severity

_SOURCES = ("vision", "judgement", "observations", "models", "session/pipeline.py", "incidents.py")
"""What a result depends on, below ``proctoring``."""


class Cache:
    """Results by task and code. ``folder`` is made if need be."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(gettempdir()) / "proctoring-gating"
        self._code = _code_version()

    def read(self, task: str) -> Result | None:
        """The stored result; ``None``: there is none."""
        try:
            stored = json.loads(self._path(task).read_text())
        except (OSError, ValueError):
            return None
        stored["incidents"] = tuple(
            IncidentSummary(**{**one, "severity": Severity(one["severity"])})
            for one in stored["incidents"]
        )
        stored["looks"] = tuple(Look(*one) for one in stored["looks"])
        return Result(**stored)

    def write(self, task: str, result: Result) -> None:
        """Store a result."""
        self._folder.mkdir(parents=True, exist_ok=True)
        stored = {**asdict(result), "looks": [list(asdict(look).values()) for look in result.looks]}
        self._path(task).write_text(json.dumps(stored))

    def _path(self, task: str) -> Path:
        key = f"{task} {self._code}"
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _code_version() -> str:
    root = Path(proctoring.__file__).parent
    own = Path(__file__).parent
    digest = hashlib.sha256()
    files = [own / "variants.py", own / "sessions.py", own / "compare.py", own / "recordings.py"]
    for name in _SOURCES:
        path = root / name
        files += (
            [path] if path.is_file() else sorted(path.rglob("*.py")) + sorted(path.rglob("*.toml"))
        )
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
