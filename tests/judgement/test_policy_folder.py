"""Policies of an operator's folder beside the shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from proctoring.errors import BadPolicyError
from proctoring.judgement.policy import folder as folder_module
from proctoring.judgement.policy import read_policies, shipped_policies


def test_a_broken_file_keeps_no_other_from_being_used(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "viva"\n')
    (tmp_path / "b.toml").write_text('name = "b"\n[screen]\nleft = -1\n')
    (tmp_path / "c.toml").write_bytes(b"\xff")
    (tmp_path / "d.toml").write_text('name = "exam"\n')
    (tmp_path / "e.toml").write_text('name = "viva"\n')
    (tmp_path / "f.toml").mkdir()
    (tmp_path / "notes.txt").write_text("not a policy")
    found = read_policies(tmp_path)
    assert set(found.known) == {*shipped_policies(), "viva"}
    assert [problem.removeprefix(f"{tmp_path}/")[:8] for problem in found.problems] == [
        f"{letter}.toml: " for letter in "bcdef"
    ]
    assert "line 3: screen.left" in found.problems[0]
    assert "a shipped policy" in found.problems[2]
    assert "a.toml" in found.problems[3]


def test_without_a_folder_there_are_the_shipped_ones(tmp_path: Path) -> None:
    assert set(read_policies(None).known) == set(shipped_policies())
    missing = read_policies(tmp_path / "none")
    assert set(missing.known) == set(shipped_policies())
    assert "No such file" in missing.problems[0]


def test_a_name_never_opens_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "viva"\n')
    found = read_policies(tmp_path)
    assert found.get("viva").name == "viva"
    for name in ("a", "a.toml", str(tmp_path / "a.toml"), "vivaa"):
        with pytest.raises(BadPolicyError, match="unknown"):
            found.get(name)


def test_a_folder_of_many_files_is_read_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "MAX_FILES", 2)
    for letter in "abc":
        (tmp_path / f"{letter}.toml").write_text(f'name = "{letter}"\n')
    found = read_policies(tmp_path)
    assert {"a", "b"} <= set(found.known)
    assert "c" not in found.known
    assert "3 policies, of which 2" in found.problems[0]
