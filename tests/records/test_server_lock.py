"""A lock file tells whether another process of this machine lives."""

from __future__ import annotations

from pathlib import Path

from proctoring.records.server_lock import FOLDER, forget, forget_gone, hold, is_gone


def test_a_server_is_gone_once_its_lock_is_free(tmp_path: Path) -> None:
    lock = hold(tmp_path, "A")
    assert lock is not None
    assert not is_gone(tmp_path, "A")
    lock.release()
    assert is_gone(tmp_path, "A")
    assert is_gone(tmp_path, "A")  # looking changes nothing


def test_nothing_is_known_of_a_server_that_never_used_the_folder(tmp_path: Path) -> None:
    assert not is_gone(tmp_path, "B")
    lock = hold(tmp_path, "B")
    assert lock is not None
    lock.release()
    forget(tmp_path, "B")
    assert not is_gone(tmp_path, "B")


def test_files_of_killed_servers_do_not_pile_up(tmp_path: Path) -> None:
    for name in "ABC":
        lock = hold(tmp_path, name)
        assert lock is not None
        if name != "A":
            lock.release()
        else:
            living = lock
    forget_gone(tmp_path, owners={"B"})
    assert {file.stem for file in (tmp_path / FOLDER).iterdir()} == {"A", "B"}
    living.release()
