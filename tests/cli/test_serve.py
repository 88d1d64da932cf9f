"""``proctoring serve``: every mistake is one clear line; start and stop are clean."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from proctoring.cli import app
from proctoring.errors import SettingsError
from proctoring.models.store import ModelStore
from proctoring.server.port import open_port
from proctoring.server.serve import ONE_SIGNAL
from proctoring.settings import Settings

ROOT = Path(__file__).parents[2]
TIMEOUT = 60.0

SIGNAL_TIMEOUT = 15.0
"""Seconds in which Ctrl-C ends a server, whatever it does: half a second, unless the machine is busy. Loading
is not waited for, nor are sockets that stay open."""


def refused(*options: str, **environment: str) -> str:
    """What a server that cannot start says on stderr, asked in this process."""
    result = CliRunner().invoke(app, ["serve", *options], env=environment)
    assert result.exit_code == 2, result.stderr
    assert result.stdout == ""
    return result.stderr


def refused_process(*options: str, **environment: str) -> str:
    """What a server process that cannot start says on stderr."""
    done = subprocess.run(
        [sys.executable, "run.py", *options],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return done.stderr


def assert_one_line(said: str, *words: str) -> None:
    """One error, after at most the address and what is being loaded."""
    *before, line = said.splitlines()
    assert line.startswith("error: ")
    assert all(one.startswith(("Serving at", "Access:", "loading")) for one in before)
    for word in words:
        assert word in line


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_line(refused("--port", port), port, "in use")


def test_a_port_that_another_server_has_opened_and_does_not_serve_yet() -> None:
    with open_port(Settings(port=0)) as first:
        settings = Settings(port=first.getsockname()[1])
        with pytest.raises(SettingsError, match="in use"):
            open_port(settings)


def test_a_setting_that_cannot_be() -> None:
    said = refused(PROCTORING_WORKERS="many", PROCTORING_PORT="99999")
    assert_one_line(said, "PROCTORING_WORKERS", "'many'", "PROCTORING_PORT", "65535")


def test_an_option_that_cannot_be() -> None:
    assert_one_line(refused("--port", "99999"), "port", "99999")


def test_a_default_policy_that_there_is_not() -> None:
    assert_one_line(refused("--port", "0", "--policy", "brutal"), "brutal")


def test_an_address_that_others_can_reach() -> None:
    assert_one_line(refused("--host", "0.0.0.0", "--port", "0"), "0.0.0.0", "--insecure")  # noqa: S104


def test_an_address_that_is_not_here() -> None:
    said = refused("--host", "no-such-host.invalid", "--port", "0", "--insecure")
    assert_one_line(said, "no-such-host.invalid")


def test_a_models_folder_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "models"
    file.write_text("in the way")
    said = refused_process("--port", "0", PROCTORING_MODELS_FOLDER=str(file / "below"))
    assert_one_line(said, str(file))


@contextmanager
def serving(store: ModelStore) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process that answers with its models loaded, and its address."""
    environment = {"PROCTORING_MODELS_FOLDER": str(store.folder)}
    if store.mirror is not None:
        environment["PROCTORING_MODELS_MIRROR"] = str(store.mirror)
    process = subprocess.Popen(
        [sys.executable, "run.py", "--port", "0"],
        cwd=ROOT,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "Serving at" in line)
        address = line.split()[-1]
        wait_until_loaded(address)
        yield process, address
    finally:
        process.kill()
        process.communicate()


def wait_until_loaded(address: str) -> None:
    wait_for_status(address, "ok", "degraded")


def wait_for_status(address: str, *statuses: str) -> None:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{address}/api/health") as answer:  # noqa: S310
            if json.load(answer)["status"] in statuses:
                return
        time.sleep(0.05)
    pytest.fail("the status was not reached in time")


@pytest.mark.e2e
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_sessions_to_the_next_process_and_closes_sockets(
    model_store: ModelStore, how: signal.Signals
) -> None:
    with serving(model_store) as (process, address):
        url = address.replace("http", "ws", 1) + "/ws/proctor/a"
        with (
            connect(f"{url}/events", open_timeout=TIMEOUT) as events,
            connect(f"{url}/video", open_timeout=TIMEOUT) as video,
        ):
            assert "flow" in video.recv(timeout=TIMEOUT)
            process.send_signal(how)
            began = time.monotonic()
            for closed in (events, video):
                error = json.loads(closed.recv(timeout=TIMEOUT))["error"]
                assert error["code"] == "session_moved"
                with pytest.raises(ConnectionClosed) as caught:
                    closed.recv(timeout=TIMEOUT)
                assert caught.value.rcvd is not None
                assert caught.value.rcvd.code == 1012
        _, said = process.communicate(timeout=TIMEOUT)
        assert time.monotonic() - began < SIGNAL_TIMEOUT
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "/ws/proctor/a" not in said  # names of sessions are not logged


@pytest.mark.e2e
def test_a_second_signal_ends_the_process_at_once(model_store: ModelStore) -> None:
    with serving(model_store) as (process, address):
        url = address.replace("http", "ws", 1) + "/ws/proctor/a"
        # A client that never closes its side: an orderly stop waits for it.
        with connect(f"{url}/video") as video:
            assert "flow" in video.recv(timeout=TIMEOUT)
            process.terminate()
            time.sleep(ONE_SIGNAL + 0.1)
            process.terminate()
            process.communicate(timeout=TIMEOUT)
    assert process.returncode in (0, 1)


@pytest.mark.e2e
def test_drain_stops_a_server_and_waits_until_it_has_stopped(model_store: ModelStore) -> None:
    with serving(model_store) as (process, address):
        url = address.replace("http", "ws", 1) + "/ws/proctor/a"
        with connect(f"{url}/events") as events:
            done = subprocess.run(
                [sys.executable, "-m", "proctoring", "drain", "--server", address],
                check=True, capture_output=True, text=True, timeout=TIMEOUT,
            )  # fmt: skip
            with pytest.raises(ConnectionClosed) as caught:  # noqa: PT012
                while True:  # its last messages
                    events.recv(timeout=TIMEOUT)
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 1012
        assert done.stdout.splitlines()[0] == "the server is stopping; open sessions: 1"
        assert done.stdout.splitlines()[-1] == "the server has stopped"
        process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0


@pytest.mark.e2e
def test_a_signal_while_models_load_leaves_cleanly(model_store: ModelStore, tmp_path: Path) -> None:
    for model in model_store.folder.iterdir():
        if not model.name.startswith("."):  # nothing is compiled already: loading takes its time
            (tmp_path / model.name).symlink_to(model)
    environment = {"PROCTORING_MODELS_FOLDER": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "run.py", "--port", "0"],
        cwd=ROOT,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "Serving at" in line)
        address = line.split()[-1]
        wait_for_status(address, "starting", "ok", "degraded")
        began = time.monotonic()
        process.terminate()
        _, said = process.communicate(timeout=TIMEOUT)
        assert time.monotonic() - began < SIGNAL_TIMEOUT
    assert process.returncode == 0, said
    assert "Traceback" not in said


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    """A server that is starting; killed in the end."""
    # What a shell runs in the background ignores Ctrl-C, and so would a server that is begun from there.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "run.py", "--port", "0", *options],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.e2e
def test_ctrl_c_before_anything_is_loaded_leaves_at_once_without_a_traceback() -> None:
    with started() as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        said += process.communicate(timeout=TIMEOUT)[1]
        assert time.monotonic() - began < SIGNAL_TIMEOUT
    assert process.returncode in (0, 130)
    assert "Traceback" not in said


@pytest.mark.e2e
def test_the_address_is_printed_before_anything_large_is_imported() -> None:
    with started() as process:
        assert process.stderr is not None
        began = time.monotonic()
        assert process.stderr.readline().startswith("Serving at http://127.0.0.1:")
        printed = time.monotonic() - began
        for line in process.stderr:
            if line.startswith("Ready after"):
                break
        assert printed < (time.monotonic() - began) / 2
