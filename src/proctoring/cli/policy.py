"""``proctoring policy``: list, print and validate policies."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from proctoring.cli.exits import fail
from proctoring.errors import BadPolicyError
from proctoring.judgement import Policy, load_policy, shipped_policies, shipped_policy

app = typer.Typer(no_args_is_help=True, help="Show, check and list policies.")

_Name = Annotated[str, typer.Argument(metavar="NAME_OR_FILE", help="A shipped policy or a file.")]


@app.command("list")
def list_policies() -> None:
    """List the policies that come with the package."""
    table = Table("name", "description", box=None)
    for name in shipped_policies():
        table.add_row(name, shipped_policy(name).description)
    Console().print(table)


@app.command()
def show(policy: _Name) -> None:
    """Print a policy with every setting, as TOML to start from."""
    typer.echo(_load(policy).to_toml(), nl=False)


@app.command()
def check(policy: _Name) -> None:
    """Validate a policy and list the kinds of incident that it judges."""
    loaded = _load(policy)
    enabled = [kind for kind, rule in loaded.incidents.items() if rule.enabled]
    typer.echo(f"{policy}: valid; {loaded.name!r} judges {', '.join(enabled) or 'nothing'}")


def _load(name: str) -> Policy:
    try:
        return load_policy(name)
    except BadPolicyError as error:
        fail(error)
