"""``requirements.txt`` is the lock file in pip's words."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

EXPORT = "uv export --frozen --no-dev --no-hashes --no-annotate --no-header"


def test_requirements_are_what_the_lock_says() -> None:
    if shutil.which("uv") is None:
        pytest.skip("uv is not on the path")
    done = subprocess.run(
        [*EXPORT.split(), "--quiet", "--offline"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    stale = f"requirements.txt is stale: {EXPORT} -q > requirements.txt"
    assert (ROOT / "requirements.txt").read_text() == done.stdout, stale
