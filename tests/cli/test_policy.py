"""``proctoring policy`` as an operator uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.judgement import parse_policy, shipped_policies, shipped_policy
from proctoring.judgement.policy import MAX_POLICY_BYTES
from proctoring.judgement.policy.rule import Rule


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
    assert result.stderr.startswith(f"error: {file}: line 3: screen.left: ")
    assert result.stderr.count("\n") == 1


def test_check_prints_one_line_for_each_cause_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        'name = "own"\n'
        "[screen]\n"
        "left = -1\n"
        "leftt = 2\n"
        '[incidents."gaze.lefft"]\n'
        '[incidents."object.phone"]\n'
        "persist = {}\n"
        "[head]\n"
        'left = "far"\n'
        "objects.max_count_age = 1\n"
    )
    result = CliRunner().invoke(app, ["policy", "check", str(file)])
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"error: {file}: line 3: screen.left: Input should be greater than 0",
        f"error: {file}: line 4: screen.leftt: unknown setting",
        f"error: {file}: line 5: incidents: unknown 'gaze.lefft'; did you mean 'gaze.left'?",
        f"error: {file}: line 7: incidents.object.phone.persist: lacks hits, of",
        f"error: {file}: line 9: head.left: Input should be a valid number, unable to parse "
        "string as a number",
        f"error: {file}: line 10: head.objects: unknown setting",
    ]


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('name = "own"\nleft =\n')
    result = CliRunner().invoke(app, ["policy", "check", str(file)])
    assert result.stderr.startswith(f"error: {file}: line 2: not TOML: ")


def test_show_explains_every_setting_and_its_unit() -> None:
    shown = CliRunner().invoke(app, ["policy", "show", "exam"]).stdout
    lines = shown.splitlines()
    for setting, unit in {
        "left = 14.0": "degrees, above 0, at most 180",
        "max_background_time = 5.0": "seconds, at least 0",
        "retention_days = 180.0": "above 0, at most 36500",
    }.items():
        at = lines.index(setting)
        assert unit in " ".join(line.removeprefix("# ") for line in lines[at - 4 : at])
    for name in Rule.model_fields:
        assert f"# {name}: " in shown
    assert len(shown.encode()) < MAX_POLICY_BYTES


def test_policies_of_a_folder_are_listed_shown_and_checked_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROCTORING_POLICIES", str(tmp_path))
    (tmp_path / "mine.toml").write_text('name = "viva"\ndescription = "oral [2026]"\n')
    listed = CliRunner().invoke(app, ["policy", "list"])
    assert listed.exit_code == 0
    assert "oral [2026]" in listed.stdout
    assert "valid" in CliRunner().invoke(app, ["policy", "check", "viva"]).stdout
    (tmp_path / "broken.toml").write_text("name = \n")
    listed = CliRunner().invoke(app, ["policy", "list"])
    assert listed.exit_code == 1
    assert "broken.toml: line 1: not TOML" in listed.stderr
    assert "viva" in listed.stdout
