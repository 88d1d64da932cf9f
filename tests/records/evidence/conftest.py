"""A real S3-compatible server, and bytes that are worth keeping."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ports import free_port

_START = 60.0
"""Seconds that the server may take to answer."""


@dataclass(frozen=True)
class S3Server:
    """One that runs, with a bucket named ``evidence``."""

    endpoint: str
    folder: Path
    """Where it keeps objects: one file each."""


def _program() -> str:
    installed = shutil.which("versitygw") or str(Path.home() / "go" / "bin" / "versitygw")
    if not os.access(installed, os.X_OK):
        pytest.skip("versitygw is not installed: no S3-compatible server to test against")
    return installed


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """versitygw over a folder; credentials are in the environment, as every AWS client takes them."""
    program = _program()
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "evidence").mkdir()
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", f"127.0.0.1:{port}", "--access", "tester", "--secret", "not-a-secret",
         "posix", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("AWS_ACCESS_KEY_ID", "tester")
            environment.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
            environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
            _wait(port)
            yield S3Server(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        server.wait(_START)


def _wait(port: int) -> None:
    end = time.monotonic() + _START
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            assert time.monotonic() < end, "versitygw did not start"
            time.sleep(0.05)
