"""Real HAProxies with the configuration of ``deploy/haproxy``, in front of servers of the tests' own."""

from __future__ import annotations

import contextlib
import csv
import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.waiting import TIMEOUT
from websockets.sync.client import ClientConnection, connect

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

_SERVERS = re.compile(r"(?:^    server s\d .*\n)+", re.MULTILINE)
_numbers = itertools.count()


def loopback() -> str:
    """An address of this machine that nothing else uses, so that ports on it can be chosen before they are opened."""
    pid, number = os.getpid(), next(_numbers)
    return f"127.{100 + number % 100}.{pid >> 8 & 255}.{pid & 255}"


@dataclass(frozen=True)
class Balancer:
    """A HAProxy that runs."""

    host: str
    process: subprocess.Popen[bytes]
    runtime: Path

    @property
    def http(self) -> httpx.Client:
        """A client of the REST interface behind it."""
        return httpx.Client(base_url=f"http://{self.host}:8080", timeout=TIMEOUT)

    def socket(self, path: str, **options: Any) -> ClientConnection:
        """A socket of a session: ``exam-7/video``."""
        url = f"ws://{self.host}:8080/ws/proctor/{path}"
        opened: ClientConnection = connect(url, compression=None, open_timeout=TIMEOUT, **options)
        return opened

    def ask(self, command: str) -> str:
        """What the runtime API answers."""
        with socket.socket(socket.AF_UNIX) as runtime:
            runtime.settimeout(TIMEOUT)
            runtime.connect(str(self.runtime))
            runtime.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: runtime.recv(65536), b"")).decode()

    def states(self) -> list[str]:
        """State of each server as of its health check: ``UP``, ``NOLB``, ``DOWN``, ..."""
        return [row["status"].split()[0] for row in self.servers()]

    def servers(self) -> list[dict[str, str]]:
        """What HAProxy's statistics say of each server."""
        table = self.ask("show stat -1 4 -1").removeprefix("# ")
        return [row for row in csv.DictReader(table.splitlines()) if row["pxname"] == "proctoring"]

    def remembers(self) -> int:
        """How many sessions its table has."""
        found = re.search(r"used:(\d+)", self.ask("show table proctoring"))
        assert found is not None
        return int(found[1])


@contextmanager
def balanced(
    servers: Sequence[str],
    *,
    peer: str = "a",
    peers: Sequence[str] = (),
    check_timeout: str = "60s",
    request_timeout: str = "60s",
) -> Iterator[Balancer]:
    """A HAProxy in front of servers (``127.0.0.1:8001``), of which the first check of each has been made.

    Args:
        servers: in the order of the configuration.
        peer: which of the peers it is.
        peers: addresses of HAProxy a and b, for each other.
        check_timeout: a machine that is busy with other tests fails no server, unless a test says so.
        request_timeout: in which a request's header must arrive.
    """
    assert HAPROXY is not None
    host = loopback()
    lines = "".join(f"    server s{n} {server}\n" for n, server in enumerate(servers, 1))
    text, count = _SERVERS.subn(lines, CONFIGURATION.read_text())
    assert count == 1
    with tempfile.TemporaryDirectory(prefix="haproxy-") as folder:
        configuration, runtime = Path(folder, "haproxy.cfg"), Path(folder, "runtime")
        configuration.write_text(text)
        environment = {
            "PROCTORING_BIND": f"{host}:8080",
            "PROCTORING_STATS": f"{host}:8404",
            "PROCTORING_RUNTIME": str(runtime),
            "PROCTORING_CHECK_TIMEOUT": check_timeout,
            "PROCTORING_REQUEST_TIMEOUT": request_timeout,
            "PROCTORING_PEER": peer,
            "PROCTORING_PEER_A": peers[0] if peers else f"{host}:10000",
        }
        if len(peers) > 1:
            environment["PROCTORING_PEER_B"] = peers[1]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                [HAPROXY, "-f", configuration],
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )
        try:
            balancer = Balancer(host, process, runtime)
            _until_checked(balancer, Path(folder, "log"))
            yield balancer
        finally:
            process.kill()
            process.wait(TIMEOUT)


def _until_checked(balancer: Balancer, log: Path) -> None:
    """Wait until it serves and knows every server's state."""
    end = time.monotonic() + TIMEOUT
    while True:
        assert balancer.process.poll() is None, f"HAProxy ended:\n{log.read_text()[-3000:]}"
        with contextlib.suppress(OSError):  # it does not serve yet
            checks = [row["check_status"] for row in balancer.servers()]
            # Empty before the first check, with `*` while it is under way.
            if all(check not in ("", "INI") and "*" not in check for check in checks):
                return
        assert time.monotonic() < end, "no check was made"
        time.sleep(0.02)
