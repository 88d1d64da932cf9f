"""Every example explains itself, is listed, and fails in one line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PROGRAMS = sorted(file.name for file in EXAMPLES.glob("*.py"))


def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run an example from the root of the repository."""
    return subprocess.run(
        [sys.executable, f"examples/{name}", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_begins_with_what_it_does(name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0, done.stderr
    summary = (EXAMPLES / name).read_text().split("\n", 1)[0].strip('"')
    assert summary in done.stdout
    assert f"python examples/{name}" in done.stdout


def test_the_readme_lists_every_example_and_its_command() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    listed = set(re.findall(r"\]\(([^)]+)\)", readme))
    assert listed == {*PROGRAMS, "browser/index.html", "custom_policy.toml"}
    for name in PROGRAMS:
        assert f"`python examples/{name}" in readme


def test_failures_are_one_readable_line(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = str(unused.getsockname()[1])
        address = f"ws://127.0.0.1:{port}/ws/proctor/exam-7"
        none, text = tmp_path / "none.toml", tmp_path / "text.avi"
        text.write_text("no video")
        webhook = {"WEBHOOK_SECRET": "whsec_c2VjcmV0IG9mIHRlc3RzLCAyNCBieXRlcw=="}
        unused.listen()
        cases: list[tuple[tuple[str, ...], dict[str, str], str]] = [
            (("client.py", address, str(text)), {}, f"error: {text} cannot be opened"),
            (("custom_policy.py", str(none)), {}, "No such file"),
            (("webhook_receiver.py",), {"WEBHOOK_SECRET": ""}, "error: WEBHOOK_SECRET"),
            (("webhook_receiver.py", "--port", port), webhook, "Address already in use"),
            (
                ("analyse_recording.py", "exam.mp4"),
                {"PROCTORING_MODELS_FOLDER": str(text / "models")},
                "the models folder",
            ),
        ]
        for command, environment, message in cases:
            done = run(*command, **environment)
            assert done.returncode == 1, done.stdout + done.stderr
            (line,) = (line for line in done.stderr.splitlines() if not line.startswith("["))
            assert line.startswith("error: ")
            assert message in line


def test_the_policy_and_its_accommodations_are_valid() -> None:
    done = run("custom_policy.py")
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split("and with the accommodations in:\n")
    assert "incidents.gaze.left.persist: 4.0 (was 2.0)" in before
    assert "screen.left: 22.0 (was 14.0)" in before
    assert "screen.down: 30.0 (was 12.0)" in after
    assert "incidents.audio.multiple_speakers.enabled: False (was True)" in after
