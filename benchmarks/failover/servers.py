"""Server processes of one cluster, without models: only records, judgement and sockets are looked at."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from benchmarks.failover.database import Database, free_port
from benchmarks.failover.tcp_proxy import TcpProxy
from proctoring.audio.networks import AudioModels
from proctoring.server.port import open_port
from proctoring.server.serve import serve
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.settings import read_settings
from proctoring.vision.networks import VisionModels

TIMEOUT = 120.0
SECRET = "only for servers on this machine, of one benchmark"  # noqa: S105
ALL: dict[str, Any] = {
    "max_requests_per_second": 1e6,
    "admission": "count",
    "workers": 2,
    "session_grace": 30.0,
}
"""Settings beside addresses: everything comes from one address, and no load is refused."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def run(port: int, database: str, folder: Path) -> None:
    """What each process does until it is killed."""
    settings = read_settings(
        port=port,
        database=database,
        data_folder=folder,
        cluster_address=f"http://127.0.0.1:{port}",
        cluster_secret=SECRET,
        **ALL,
    )
    blind = VisionModels(faces=None, objects=None, capabilities=())
    deaf = AudioModels(voice_activity=None, speakers=None, capabilities=())
    service = Service(settings, models=Models(blind, deaf))
    with open_port(settings) as taken:
        serve(service, taken)


class Server:
    """One process, which reaches the database through a proxy of its own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.database = TcpProxy(database.port)
        self._url = database.url(self.database.port)
        self._folder = folder
        self._process: BaseProcess | None = None
        self.start()

    def start(self) -> None:
        """Start the process; returns when it answers."""
        self._process = _CONTEXT.Process(
            target=run, args=(self.port, self._url, self._folder), daemon=True
        )
        self._process.start()
        end = time.monotonic() + TIMEOUT
        while True:
            assert self._process.is_alive(), "a server did not start"
            with suppress(httpx.TransportError):
                # Not ``/api/ready``: nothing is analysed without models.
                if httpx.get(f"{self.address}/api/health", timeout=TIMEOUT).json()["accepting"]:
                    return
            assert time.monotonic() < end, "a server does not answer"
            time.sleep(0.05)

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it at once."""
        assert self._process is not None
        self._process.kill()
        self._process.join(TIMEOUT)

    def join(self) -> None:
        """Wait until it has ended."""
        assert self._process is not None
        self._process.join(TIMEOUT)

    def close(self) -> None:
        """End everything."""
        if self._process is not None:
            with suppress(ValueError, OSError):
                self.signal(signal.SIGCONT)
            self.kill()
        self.database.close()

    def metric(self, name: str) -> float:
        """One of its metrics."""
        text = httpx.get(f"{self.address}/metrics", timeout=TIMEOUT).text
        found = [line for line in text.splitlines() if line.startswith(f"{name} ")]
        return float(found[0].split()[1]) if found else 0.0


@contextmanager
def cluster(database: Database, folder: Path, count: int) -> Iterator[list[Server]]:
    """So many servers, which have renewed their leases long enough to take over from each other."""
    servers: list[Server] = []
    try:
        servers += [Server(database, folder) for _ in range(count)]
        time.sleep(SETTLED)
        yield servers
    finally:
        for server in servers:
            server.close()


SETTLED = 7.0
"""Seconds after its start after which a server may take over: twice the TTL, and one renewal."""
