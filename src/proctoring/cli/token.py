"""``proctoring token``: tokens signed with the configured secret."""

from __future__ import annotations

from typing import Annotated

import typer

from proctoring.errors import ProctoringError
from proctoring.settings import read_settings

app = typer.Typer(no_args_is_help=True, help="Make tokens for a server that asks for them.")


@app.callback()
def root() -> None:
    """Keep sub-commands as sub-commands, also while there is only one."""


@app.command("create")
def create(
    session: Annotated[
        list[str] | None,
        typer.Option(help="A session it is good for, or a beginning of names: 'exam-*', '*'."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="media, events, review, admin or metrics.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="How long it lives.")] = 30.0,
    subject: Annotated[str, typer.Option(help="Who it is for; reviews are signed with it.")] = "",
) -> None:
    """Print a token, signed with PROCTORING_TOKEN_SECRET.

    proctoring token create --session exam-7 --scope media --scope events --minutes 30
    """
    from proctoring.server.grant import Scope
    from proctoring.server.tokens import make_token

    try:
        known = [one.value for one in Scope]
        unknown = sorted(set(scope or ()) - set(known))
        if unknown or not scope:
            said = f"no scope {', '.join(unknown)}" if unknown else "name a --scope"
            raise typer.BadParameter(f"{said}: there are {', '.join(known)}")
        token = make_token(
            read_settings(),
            scopes=[Scope(one) for one in scope],
            sessions=session or [],
            minutes=minutes,
            subject=subject,
        )
    except ProctoringError as error:
        typer.echo(f"error: {error.detail}", err=True)
        raise typer.Exit(2) from error
    typer.echo(token)
