"""``proctoring records``: migrate and verify the database of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from proctoring.cli.exits import fail
from proctoring.errors import ProctoringError, SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from proctoring.records.signing import Signer

_T = TypeVar("_T")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Migrate and verify records.")


@app.command()
def status() -> None:
    """Print where records are kept and which migrations are pending."""
    engine, where = _open()
    from proctoring.records.migrate import version

    found = _run(lambda: version(engine))
    typer.echo(f"{where}: migration {found.current or 'none'} of {found.newest}")
    for pending in found.pending:
        typer.echo(f"pending: {pending}")


@app.command()
def migrate() -> None:
    """Migrate the database to this version, as the server does when it starts."""
    engine, where = _open()
    from proctoring.records.migrate import migrate as run

    found = _run(lambda: run(engine))
    typer.echo(f"{where}: migration {found.current}")


@app.command()
def verify(
    sitting: Annotated[str | None, typer.Argument(help="Only this sitting.")] = None,
) -> None:
    """Verify that no event, decision, consent or erasure was changed or removed. Exits 1 if one was."""
    engine, where = _open()
    from proctoring.records.verification import verify as check

    signer = _signer()
    problems = _run(lambda: list(check(engine, signer, sitting)))
    for problem in problems:
        typer.echo(f"{problem.where}: {problem.what}")
    if problems:
        raise typer.Exit(1)
    typer.echo(f"{where}: unchanged since it was written (public key {signer.public_key})")


def _open() -> tuple[Engine, str]:
    try:
        from proctoring.records.archive import database_url
        from proctoring.records.database import connect, without_password
        from proctoring.settings import read_settings

        settings = read_settings()
        database = settings.database
        chosen = None if database is None else database.get_secret_value()
        url = database_url(chosen, settings.data_folder)
        return connect(url), without_password(url)
    except ProctoringError as error:
        fail(error)


def _signer() -> Signer:
    from proctoring.records.archive import KEY
    from proctoring.records.signing import load_signer
    from proctoring.settings import read_settings

    return _run(lambda: load_signer(read_settings().data_folder / KEY))


def _run(step: Callable[[], _T]) -> _T:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return step()
    except ProctoringError as error:
        fail(error)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        fail(SettingsError(f"database: {reason}"))
