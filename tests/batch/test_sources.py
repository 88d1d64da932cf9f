"""Which recordings a folder, a list and standard input name."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from proctoring.batch.sources import find_sources
from proctoring.errors import SettingsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Recordings, and what is none."""
    found = tmp_path / "in"
    for name in ("b.mp4", "a.WAV", "sub/c.webm", "notes.txt", ".hidden.mp4", ".trash/d.mp4"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_bytes(name.encode())
    return found


def names(given: str, output: Path) -> list[str]:
    return [one.name for one in find_sources(given, output)]


def test_a_folder_is_searched_recursively_for_recordings(folder: Path, tmp_path: Path) -> None:
    assert names(str(folder), tmp_path / "out") == ["a.WAV", "b.mp4", "sub/c.webm"]


def test_results_inside_the_folder_are_no_recordings(folder: Path) -> None:
    assert names(str(folder), folder / "sub") == ["a.WAV", "b.mp4"]


def test_a_list_may_name_any_file_also_one_that_is_absent(folder: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list"
    listed.write_text(f"{folder}/notes.txt\r\n\n{folder}/absent.mp4\n")
    found = list(find_sources(str(listed), tmp_path / "out"))
    assert [one.name for one in found] == [f"{folder}/notes.txt", f"{folder}/absent.mp4"]
    assert found[0].state
    assert not found[1].state


def test_a_list_comes_from_standard_input(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "stdin", io.StringIO("b.mp4\nsub/c.webm"))
    found = list(find_sources("-", tmp_path / "out"))
    assert [one.name for one in found] == ["b.mp4", "sub/c.webm"]
    assert found[0].location == str(folder / "b.mp4")


def test_one_recording_is_a_batch_of_one(folder: Path, tmp_path: Path) -> None:
    assert names(str(folder / "b.mp4"), tmp_path / "out") == ["b.mp4"]


def test_a_recording_that_changes_has_another_state(folder: Path, tmp_path: Path) -> None:
    path = folder / "b.mp4"
    (before,) = find_sources(str(path), tmp_path)
    os.utime(path, ns=(1, 1))
    (after,) = find_sources(str(path), tmp_path)
    assert before.state != after.state
    assert before.location == after.location


@pytest.mark.parametrize("given", ["absent", "s3:///prefix"])
def test_what_is_not_there_is_refused(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError):
        list(find_sources(given, tmp_path / "out"))


def test_a_list_that_is_no_text_is_refused(tmp_path: Path) -> None:
    listed = tmp_path / "list"
    listed.write_bytes(b"\0\1\2\n")
    with pytest.raises(SettingsError, match="one path a line"):
        list(find_sources(str(listed), tmp_path / "out"))
