"""``proctoring policy`` as an operator uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.judgement import parse_policy, shipped_policies, shipped_policy


def test_list_names_every_shipped_policy() -> None:
    result = CliRunner().invoke(app, ["policy", "list"])
    assert result.exit_code == 0
    for name in shipped_policies():
        assert name in result.stdout


def test_what_show_prints_can_be_saved_and_checked(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["policy", "show", "lenient"])
    assert parse_policy(shown.stdout) == shipped_policy("lenient")
    file = tmp_path / "own.toml"
    file.write_text(shown.stdout)
    checked = CliRunner().invoke(app, ["policy", "check", str(file)])
    assert checked.exit_code == 0
    assert "valid; 'lenient' judges gaze.left" in checked.stdout
    assert "gaze.up" not in checked.stdout


@pytest.mark.parametrize("command", ["show", "check"])
def test_a_bad_policy_is_one_line_and_exit_code_2(command: str, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('name = "own"\n[screen]\nleft = -1\n')
    result = CliRunner().invoke(app, ["policy", command, str(file)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {file}: screen.left: ")
    assert result.stderr.count("\n") == 1
