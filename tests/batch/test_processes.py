"""The command with real processes: what it finds, and what becomes of it when processes are killed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from tests.batch.made import OPTIONS
from tests.recording.clips import face, two_faces, write_clip, write_sound

import proctoring
from proctoring.batch.messages import Request
from proctoring.batch.processes import LocalProcesses
from proctoring.batch.results import Results
from proctoring.batch.run import Run
from proctoring.batch.sources import find_sources
from proctoring.models.store import ModelStore
from proctoring.recording.models import RecordingModels

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

WAIT = 900.0
"""Seconds that anything may take on a busy machine."""

DIFFERS = ("file", "seconds_taken", "cpu_seconds_taken", "times_real_time")
"""Differs from one analysis of a content to the next."""


@pytest.fixture(autouse=True)
def weights(model_store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes find the weights where the tests do."""
    if model_store.mirror is not None:
        monkeypatch.setenv("PROCTORING_MODELS_MIRROR", str(model_store.mirror))


@pytest.fixture
def folder(tmp_path: Path, recording_models: RecordingModels) -> Path:
    """Two videos, one of them twice, and sound. Skips where the networks cannot be had."""
    found = tmp_path / "in"
    (found / "sub").mkdir(parents=True)
    clip = write_clip(found / "one.mp4", [(n / 5, face(5 * np.sin(n / 3))) for n in range(30)])
    (found / "sub" / "again.mp4").write_bytes(clip.read_bytes())
    write_clip(found / "two.mp4", [(n / 5, two_faces()) for n in range(20)])
    noise = np.random.default_rng(1).normal(0, 300, 32_000).astype(np.int16)
    write_sound(found / "sound.wav", noise)
    return found


@pytest.fixture(autouse=True)
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """What a test has started, ended with it."""
    yield _STARTED
    while _STARTED:
        _STARTED.pop().kill()  # its workers end by themselves


_STARTED: list[subprocess.Popen[str]] = []


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "proctoring", "batch", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _STARTED.append(process)
    return process


def batch(*arguments: str | Path) -> tuple[int, str]:
    """Exit status and output."""
    process = start(*arguments)
    said, _ = process.communicate(timeout=WAIT)
    return process.returncode, said


def reports(output: Path) -> dict[str, dict[str, Any]]:
    """The results by the digests of their contents."""
    found = {}
    for path in (output / "results").glob("*/*.json"):
        content = json.loads(path.read_text())
        if "file" in content:
            found[path.stem] = {k: v for k, v in content.items() if k not in DIFFERS}
    return found


def analysed(folder: Path, models: RecordingModels) -> dict[str, dict[str, Any]]:
    """The same by ``analyse``."""
    found = {}
    for name in ("one.mp4", "two.mp4", "sound.wav"):
        report = proctoring.analyse(folder / name, policy=OPTIONS.policy, models=models)
        content = json.loads(json.dumps(report.to_json()))
        found[digest(folder / name)] = {k: v for k, v in content.items() if k not in DIFFERS}
    return found


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_batch_finds_what_analyse_finds_and_finds_it_once(
    folder: Path, tmp_path: Path, recording_models: RecordingModels
) -> None:
    output = tmp_path / "out"
    status, said = batch(folder, output, "--workers", "2")
    assert status == 0, said
    assert reports(output) == analysed(folder, recording_models)
    table = (output / "summary.csv").read_text()
    assert all(name in table for name in ("one.mp4", "sub/again.mp4", "two.mp4", "sound.wav"))

    (folder / "damaged.mp4").write_bytes(b"no video" * 100)
    before = {path: path.stat().st_mtime_ns for path in (output / "results").glob("*/*.json")}
    status, said = batch(folder, output, "--workers", "2")
    assert status == 1, said
    assert "damaged.mp4: damaged.mp4 cannot be read as video" in said
    assert "4 complete; 1 failed" in said
    kept = {path: time for path, time in before.items() if path.name != "how.json"}
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


class Murdered(LocalProcesses):
    """The first workers die of ``kill -9`` as soon as they have been asked to analyse."""

    def __init__(self, deaths: int) -> None:
        super().__init__(OPTIONS, 2)
        self._deaths = deaths

    def ask(self, worker: int, request: Request, *arguments: str) -> None:
        super().ask(worker, request, *arguments)
        if request == "analyse" and self._deaths:
            self._deaths -= 1
            pid = self._processes[worker][0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)


def test_workers_that_are_killed_lose_and_double_nothing(
    folder: Path, tmp_path: Path, recording_models: RecordingModels
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    workers = Murdered(2)
    try:
        with Results(output, OPTIONS) as results:
            listed = results.index.list(find_sources(str(folder), output))
            totals = Run(results, workers, listed).run()
            assert {line.findings.outcome for line in results.index.lines()} == {"complete"}
    finally:
        workers.close()
    assert (totals.retried, totals.failed, totals.done) == (2, 0, 4)
    assert reports(output) == analysed(folder, recording_models)


class Bucket:
    """An S3 server with one object, which it withholds until it is told."""

    def __init__(self, content: bytes) -> None:
        self.asked, self.given = threading.Event(), threading.Event()
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self._head()

            def do_GET(self) -> None:
                bucket.asked.set()
                bucket.given.wait()
                self._head()
                self.wfile.write(content)

            def _head(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("ETag", '"1"')
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.given.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """Holds ``s3://exams/two.mp4``."""
    content = (folder / "two.mp4").read_bytes()
    found = Bucket(content)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", found.address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda process: os.killpg(process.pid, signal.SIGINT), 130),
        (lambda process: process.kill(), -signal.SIGKILL),
    ],
    ids=["ctrl-c", "kill -9"],
)
def test_a_batch_that_was_ended_leaves_no_worker_and_goes_on(
    folder: Path,
    tmp_path: Path,
    bucket: Bucket,
    recording_models: RecordingModels,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[subprocess.Popen[str]], None],
    status: int,
) -> None:
    listed, output = tmp_path / "list", tmp_path / "out"
    listed.write_text(f"{folder}/one.mp4\n{folder}/sound.wav\ns3://exams/two.mp4\n")
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setenv("TMPDIR", str(copies))
    process = start(listed, output, "--workers", "1")
    while not bucket.asked.wait(0.2):  # the third; a worker does one at a time
        assert process.poll() is None, process.communicate()[0]
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    end(process)
    said, _ = process.communicate(timeout=WAIT)
    assert process.returncode == status, said
    _, alive = psutil.wait_procs(workers, timeout=WAIT)
    assert alive == []
    assert [one.name for one in copies.glob("proctoring-batch-*")] == []
    assert set(reports(output)) == {digest(folder / name) for name in ("one.mp4", "sound.wav")}
    if status == 130:
        assert "the same command goes on where it was" in said
        assert "2 complete; 1 not analysed yet" in said

    bucket.given.set()
    status, said = batch(listed, output, "--workers", "1")
    assert status == 0, said
    assert "1 analysed now" in said
    assert reports(output) == analysed(folder, recording_models)
