"""The client, and the one that the README shows, work as they stand."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data
from tests.server.live import TIMEOUT, running, until
from tests.session.conftest import BLIND

from proctoring.errors import SessionMovedError
from proctoring.server.video_feed import VideoFeed
from proctoring.vision.networks import VisionModels

ROOT = Path(__file__).parents[2]


def readme_client(folder: Path, recording: Path) -> Path:
    """The README's snippet as a file, with a recording for its camera."""
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    file = folder / "readme.py"
    snippet = next(snippet for snippet in snippets if "VideoCapture(0)" in snippet)
    snippet = snippet.replace("VideoCapture(0)", f"VideoCapture({str(recording)!r})")
    # The client waits 10 s for a handshake, which a machine that is busy with other tests may exceed.
    for name in ("video", "events"):
        snippet = snippet.replace(f'/{name}")', f'/{name}", open_timeout=120)')
    file.write_text(snippet)
    return file


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.parametrize("which", ["examples/client.py", "README.md"])
def test_a_recording_of_an_empty_chair_prints_the_alert(
    vision_models: VisionModels, tmp_path: Path, which: str
) -> None:
    path = tmp_path / "empty.avi"
    picture = np.asarray(getattr(data, "coffee")(), np.uint8)  # noqa: B009  # untyped
    height, width = picture.shape[:2]
    rate = 25 if which == "examples/client.py" else 10
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, height))
    for _ in range(8 * rate):
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    program = readme_client(tmp_path, path) if which == "README.md" else Path(which)
    with running(vision_models) as live:
        url = live.address.replace("http", "ws", 1) + "/ws/proctor/exam-7"
        done = subprocess.run(
            [sys.executable, str(program), url, str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=200,
        )
    assert done.returncode == 0, done.stderr
    if which == "README.md":
        assert done.stdout.splitlines()[0] == "['No Face Detected']"
        return
    started, ended = [line for line in done.stdout.splitlines() if "No Face Detected" in line]
    assert "started  No Face Detected (violation): no face in the frame" in started
    # The recording's own length: eight seconds, less the time of its last frame.
    assert float(ended.split()[0]) == pytest.approx(7.9, abs=0.3)
    assert re.search(r"7\.9 s  sent \d+, analysed \d+, alerts 1", done.stderr)
    assert re.search(r"^review: http://.+/sitting\?id=[0-9A-Z]{26}$", done.stderr, re.MULTILINE)


@pytest.mark.e2e
@pytest.mark.timeout(300)
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
            timeout=200,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {url}: ")
    assert "400" in line
    assert "is no session id" in line
    assert "try again" not in line


@pytest.fixture
def client() -> ModuleType:
    """The example, imported."""
    spec = importlib.util.spec_from_file_location("example_client", ROOT / "examples" / "client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("rate", "sent"), [(5, 25), (10, 50), (12, 50), (15, 50), (25, 50), (30, 50), (60, 50)]
)
def test_ten_frames_a_second_are_sent_at_their_own_times(
    client: ModuleType, rate: int, sent: int
) -> None:
    times = [number / rate for number in range(5 * rate)]
    sampled = [seconds for seconds, _ in client.sample(zip(times, times, strict=True))]
    assert len(sampled) == pytest.approx(sent, abs=2)
    assert set(sampled) <= set(times)
    assert sampled[-1] == pytest.approx(5, abs=0.25)


def test_a_session_that_moves_goes_on(
    client: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server closes both sockets with 1012 in the middle of the recording."""
    with running(BLIND) as live:
        service, moved = live.service, SessionMovedError("the session goes on at another server")
        assert service._loop is not None
        loop = service._loop

        def move() -> None:
            (session,) = service.sessions
            assert isinstance(session._video, VideoFeed)
            session._video.close(moved)
            service.outbox.close_listeners("moves", moved)

        def frames() -> Iterator[tuple[float, Any]]:
            picture = np.zeros((48, 64, 3), np.uint8)
            for number in range(3):
                yield number / 10, picture
            until(lambda: len(list(service.sessions)) == 1)
            loop.call_soon_threadsafe(move)
            end = time.monotonic() + TIMEOUT
            number = 3
            while user.connected < 2:
                assert time.monotonic() < end
                number += 1
                time.sleep(0.05)
                yield number / 10, picture
            yield (number + 1) / 10, picture

        user = client.Client(live.address.replace("http", "ws", 1) + "/ws/proctor/moves")
        user.run(frames())
    said = capsys.readouterr().err
    assert "error" not in said
    assert "the session has ended" in said


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["ws://127.0.0.1:9/ws/proctor/x", "none.mp4"], "none.mp4: there is no such file"),
        (["ws://127.0.0.1:9/ws/proctor/x", __file__], "cannot be opened as video"),
        (["http://127.0.0.1:9/"], "a session is at ws://"),
        (["ws://127.0.0.1:9/"], "a session is at ws://"),
    ],
)
def test_what_cannot_be_sent_is_one_line(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["client.py", *arguments])
    with pytest.raises(SystemExit) as ended:
        client.main()
    assert str(ended.value).startswith("error: ")
    assert reason in str(ended.value)


def test_a_missing_server_is_one_line(
    client: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "one.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    writer.write(np.zeros((64, 64, 3), np.uint8))
    writer.release()
    monkeypatch.setattr(sys, "argv", ["client.py", "ws://127.0.0.1:9/ws/proctor/x", str(path)])
    with pytest.raises(SystemExit, match=r"Connection refused\. Is the server running"):
        client.main()
