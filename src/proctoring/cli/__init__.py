"""The command line: ``proctoring serve | models | analyse | policy | token | livekit-agent``.

Commands import what they need when they run, not above: the command line starts fast, and works
where only the LiveKit side is installed.
"""

from __future__ import annotations

import sys

import typer

from proctoring.cli import analyse, livekit_agent, models, policy, records, serve, token

app = typer.Typer(
    name="proctoring",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Real-time proctoring: serve, analyse recordings, manage models and policies.",
)


@app.callback()
def root() -> None:
    """Keep sub-commands as sub-commands, also while there is only one."""


app.command("serve")(serve.command)
app.command("analyse")(analyse.command)
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
