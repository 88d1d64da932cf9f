"""``proctoring token``: create tokens signed with PROCTORING_TOKEN_SECRET."""

from __future__ import annotations

from typing import Annotated

import typer

from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Create tokens for a server that requires them.",
)


@app.callback()
def root() -> None:
    """Makes typer keep the single sub-command as a sub-command."""


@app.command("create")
def create(
    session: Annotated[
        list[str] | None,
        typer.Option(help="A session that it is valid for, or a prefix: 'exam-*', '*'."),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="media, events, review, admin or metrics.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Minutes until it expires.")] = 30.0,
    subject: Annotated[str, typer.Option(help="Its bearer, who is named in reviews.")] = "",
) -> None:
    """Print a token, signed with PROCTORING_TOKEN_SECRET.

    proctoring token create --session exam-7 --scope media --scope events --minutes 30
    """
    from proctoring.server.grant import Scope
    from proctoring.server.tokens import make_token
    from proctoring.settings import read_settings

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
        fail(error)
    typer.echo(token)
