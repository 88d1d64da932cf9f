"""How commands fail: one line on standard error and an exit status."""

from __future__ import annotations

from typing import NoReturn

import typer

from proctoring.errors import ProctoringError


def fail(reason: ProctoringError | str, status: int = 2) -> NoReturn:
    """Print why a command cannot do its work, and exit."""
    error = reason if isinstance(reason, ProctoringError) else None
    typer.echo(f"error: {error.detail if error else reason}", err=True)
    raise typer.Exit(status) from error
