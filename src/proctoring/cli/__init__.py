"""The ``proctoring`` command.

Commands import their dependencies when they run, not at module level: the command line starts
fast, and works where only ``proctoring-ai[livekit]`` is installed.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import proctoring
from proctoring.cli import (
    analyse,
    batch,
    drain,
    livekit_agent,
    models,
    policy,
    records,
    serve,
    token,
)

app = typer.Typer(
    name="proctoring",
    no_args_is_help=True,
    rich_markup_mode=None,  # brackets in help are brackets
    pretty_exceptions_enable=False,
    help="Real-time proctoring: serve, analyse recordings, manage models and policies.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"proctoring {proctoring.__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Options of the command itself; what it does is in its sub-commands."""


app.command("serve")(serve.command)
app.command("drain")(drain.command)
app.command("analyse")(analyse.command)
app.command("batch")(batch.command)
app.add_typer(models.app, name="models")
app.add_typer(policy.app, name="policy")
app.add_typer(records.app, name="records")
app.add_typer(token.app, name="token")
app.add_typer(livekit_agent.app, name="livekit-agent")


def main() -> None:
    """Entry point of the installed command."""
    try:
        app()
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("proctoring"):
            raise
        extra = "livekit-agent" if (error.name or "").startswith("livekit") else "server"
        sys.exit(f"{error.name} is not installed; this needs: pip install 'proctoring-ai[{extra}]'")
