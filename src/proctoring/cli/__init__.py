"""The command line: ``proctoring serve | models | analyse | policy``."""

from __future__ import annotations

import typer

app = typer.Typer(
    name="proctoring",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Real-time proctoring: serve, analyse recordings, manage models and policies.",
)


@app.callback()
def root() -> None:
    """Keep sub-commands as sub-commands, also while there is only one."""


def main() -> None:
    """Entry point of the installed command."""
    app()
