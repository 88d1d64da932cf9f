"""The client, and the one that the README shows, work as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from tests.server.live import running

from proctoring.vision.networks import VisionModels

ROOT = Path(__file__).parents[2]


def readme_client(folder: Path) -> Path:
    """The README's snippet as a file."""
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    file = folder / "readme.py"
    file.write_text(next(snippet for snippet in snippets if "VideoCapture" in snippet))
    return file


@pytest.mark.e2e
@pytest.mark.parametrize("which", ["examples/client.py", "README.md"])
def test_a_recording_of_an_empty_chair_prints_the_alert(
    vision_models: VisionModels, tmp_path: Path, which: str
) -> None:
    path = tmp_path / "empty.avi"
    picture = np.asarray(getattr(data, "coffee")(), np.uint8)  # noqa: B009  # untyped
    height, width = picture.shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for _ in range(80):
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    program = readme_client(tmp_path) if which == "README.md" else Path(which)
    with running(vision_models) as live:
        url = live.address.replace("http", "ws", 1) + "/ws/proctor/exam-7"
        done = subprocess.run(
            [sys.executable, str(program), url, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "['No Face Detected']"


@pytest.mark.e2e
def test_a_session_that_cannot_be_is_one_line(vision_models: VisionModels, tmp_path: Path) -> None:
    path = tmp_path / "one.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    writer.write(np.zeros((64, 64, 3), np.uint8))
    writer.release()
    with running(vision_models) as live:
        url = live.address.replace("http", "ws", 1) + "/ws/proctor/a%20b"
        done = subprocess.run(
            [sys.executable, "examples/client.py", url, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {url}: ")
    assert "400" in line
    assert "is no session id" in line
    assert "try again" not in line
