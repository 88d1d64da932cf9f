"""Copies of recordings do not outlive the process that made them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from proctoring.batch.copies import CopyFolder, remove_orphans


def test_a_folder_is_removed_when_its_process_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    code = "import os, proctoring.batch.copies as c; c.CopyFolder(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code], check=False)
    (orphan,) = tmp_path.iterdir()
    mine = CopyFolder()
    (mine.path / "exam.mp4").write_bytes(b"1")
    (tmp_path / "proctoring-batch-other").mkdir()
    remove_orphans()
    assert not orphan.exists()
    assert (mine.path / "exam.mp4").exists()
    assert (tmp_path / "proctoring-batch-other").exists()
    mine.remove()
    assert not mine.path.exists()
