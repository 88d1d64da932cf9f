"""What stands behind a HAProxy in tests: server processes that can be killed, and a stub that tells what it was sent."""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread

import httpx
from tests.session.conftest import BLIND, DEAF
from tests.waiting import TIMEOUT

from proctoring.capabilities import Capability
from proctoring.server.port import open_port
from proctoring.server.serve import serve
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.settings import Settings

SEEING = replace(BLIND, capabilities=(Capability("faces", True, "", "face_landmarker"),))
"""No network, and yet ready: these tests are about where sessions go."""

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def _run(host: str, data_folder: Path) -> None:
    settings = Settings(host=host, port=8000, data_folder=data_folder)
    service = Service(settings, models=Models(SEEING, DEAF))
    with open_port(settings) as taken:
        serve(service, taken)


@contextmanager
def process(host: str, data_folder: Path) -> Iterator[BaseProcess]:
    """A server on port 8000 of this address that is ready; killed at the end, if not before."""
    started = _CONTEXT.Process(target=_run, args=(host, data_folder), daemon=True)
    started.start()
    try:
        end = time.monotonic() + TIMEOUT
        while not _is_ready(host):
            assert started.is_alive(), "the server did not start"
            assert time.monotonic() < end, "the server is not ready"
            time.sleep(0.02)
        yield started
    finally:
        started.kill()
        started.join(TIMEOUT)
        started.close()


def _is_ready(host: str) -> bool:
    try:
        return httpx.get(f"http://{host}:8000/api/ready", timeout=TIMEOUT).status_code == 200
    except httpx.TransportError:
        return False


@dataclass
class Stub:
    """Answers every request with its path and header, or with the status that was set for all."""

    address: str
    status: int = 200
    paths: list[str] = field(default_factory=list)
    """Of requests so far, without health checks."""


@contextmanager
def stub() -> Iterator[Stub]:
    """A stub that is ready."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/api/ready":
                self._answer(200, {})
                return
            told.paths.append(self.path)
            self._answer(told.status, dict(self.headers.items()))

        def _answer(self, status: int, headers: Mapping[str, str]) -> None:
            body = json.dumps({"path": self.path, "headers": headers}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("x-told-by", "the stub")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told = Stub(f"127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join(TIMEOUT)
