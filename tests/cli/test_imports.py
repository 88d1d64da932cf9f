"""The command line imports only what a command needs: it answers before anything large is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

LARGE = (
    "alembic",
    "asyncio",
    "cv2",
    "fastapi",
    "httpx",
    "numpy",
    "openvino",
    "pydantic",
    "sqlalchemy",
)


def imported(code: str, *names: str) -> list[str]:
    """Those of the modules that this code has imported in the end."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{code}\nimport sys\nprint(*(n for n in {names} if n in sys.modules))",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.split()


def test_help_imports_nothing_large() -> None:
    assert imported("import proctoring.cli", *LARGE) == []


@pytest.mark.slow
def test_a_server_imports_what_it_may_never_need_when_it_needs_it() -> None:
    unneeded = ("alembic", "elftools", "httpx", "jinja2", "plotly", "typst")
    assert imported("import proctoring.server.serve", *unneeded) == []
