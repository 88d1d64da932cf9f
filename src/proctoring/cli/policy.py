"""``proctoring policy``: list, print and validate policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from proctoring.cli.exits import fail
from proctoring.errors import BadPolicyError, SettingsError

if TYPE_CHECKING:
    from proctoring.judgement import Policy
    from proctoring.judgement.policy import Policies

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Show, check and list policies."
)

_Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME_OR_FILE",
        help="A shipped policy, one of the folder PROCTORING_POLICIES, or a file.",
    ),
]


@app.command("list")
def list_policies() -> None:
    """List the policies that come with the package, and those of the folder PROCTORING_POLICIES.

    Exits 1 if a file of the folder cannot be used.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    found = _policies()
    table = Table("name", "description", box=None)
    for policy in found:
        table.add_row(escape(policy.name), escape(policy.description))
    Console().print(table)
    for problem in found.problems:
        typer.echo(f"not used: {problem}", err=True)
    if found.problems:
        raise typer.Exit(1)


@app.command()
def show(policy: _Name) -> None:
    """Print a policy with every setting explained, as TOML to start from."""
    from proctoring.judgement.policy.explained import explained_toml

    try:
        loaded = _load(policy)
    except BadPolicyError as error:
        fail(error)
    typer.echo(explained_toml(loaded), nl=False)


@app.command()
def check(policy: _Name) -> None:
    """Validate a policy and list the kinds of incident that it judges.

    Each problem is printed on a line of its own, with the line of the file.
    """
    try:
        loaded = _load(policy)
    except BadPolicyError as error:
        for problem in error.problems:
            typer.echo(f"error: {problem}", err=True)
        raise typer.Exit(2) from error
    enabled = [kind for kind, rule in loaded.incidents.items() if rule.enabled]
    typer.echo(f"{policy}: valid; {loaded.name!r} judges {', '.join(enabled) or 'nothing'}")


def _load(name: str) -> Policy:
    return _policies().load(name)


def _policies() -> Policies:
    from proctoring.judgement.policy import read_policies
    from proctoring.settings import read_settings

    try:
        return read_policies(read_settings().policies)
    except SettingsError as error:
        fail(error)
