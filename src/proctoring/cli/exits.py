"""How commands end: with one line on standard error if they fail, and an exit status."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

import typer

from proctoring.errors import ProctoringError


def fail(reason: ProctoringError | str, status: int = 2) -> NoReturn:
    """Print why a command cannot do its work, and exit."""
    error = reason if isinstance(reason, ProctoringError) else None
    typer.echo(f"error: {error.detail if error else reason}", err=True)
    raise typer.Exit(status) from error


def leave(status: str | int | None) -> NoReturn:
    """End this process at once, after what was registered with ``atexit``.

    Args:
        status: as of ``sys.exit``: a text is printed on standard error, and the status is 1.
    """
    if isinstance(status, str):
        typer.echo(status, err=True)
    atexit._run_exitfuncs()  # noqa: SLF001  (log handlers, temporary folders)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if isinstance(status, str) else status or 0)
