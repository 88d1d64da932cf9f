"""Brackets are text: in help, in tables, in messages."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.cli.analysis_output import _table


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", list(commands(typer.main.get_command(app))), ids=" ".join)
def test_help_prints_every_bracket(path: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    shown = "".join(CliRunner().invoke(app, [*path, "--help"]).stdout.split())
    for parameter in command.params:
        text = getattr(parameter, "help", None) or ""
        assert "".join(text.split()) in shown


def test_help_names_extras_whole() -> None:
    shown = CliRunner().invoke(app, ["analyse", "--help"]).stdout
    assert "proctoring-ai[pyannote]" in "".join(shown.split())


def test_a_reason_with_brackets_is_printed_as_it_is() -> None:
    class One:
        started_at, ended_at, severity, alerted = 1.0, 2.0, "warning", True
        label, reason = "Phrase", "said [red]hey[/red] [/]"

    class Found:
        incidents = (One(),)

    console = Console(file=io.StringIO(), width=120)
    console.print(_table(Found()))  # type: ignore[arg-type]
    assert One.reason in console.file.getvalue()  # type: ignore[attr-defined]
