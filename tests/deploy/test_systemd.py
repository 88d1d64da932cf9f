"""The units of ``deploy/systemd``, as systemd itself reads them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.waiting import TIMEOUT

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed"),
]


def test_systemd_finds_no_fault_in_them(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        # The program and the settings need not be installed here; a template is verified as one of its units.
        text = unit.read_text().replace("/opt/proctoring/.venv/bin/proctoring", "/bin/true")
        (tmp_path / unit.name.replace("@.", "@1.")).write_text(text)
    units = [str(path) for path in tmp_path.iterdir() if path.suffix in (".service", ".target")]
    assert len(units) == 3
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", *units],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_a_server_is_exposed_to_little() -> None:
    """Of 10.0 (unsafe); 2.0 is what systemd calls OK."""
    rated = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=yes",
            "--threshold=20",
            UNITS / "proctoring@.service",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )
    assert rated.returncode == 0, rated.stdout[-500:] + rated.stderr
