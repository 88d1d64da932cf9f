"""A server process that can be killed and started again quickly: real sockets, real records."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
from tests.session.conftest import BLIND, DEAF

from proctoring.server.port import open_port
from proctoring.server.serve import serve
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.settings import Settings

TIMEOUT = 60.0

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


def run(port: int, data_folder: Path, database: str | None) -> None:
    """What the process does until it is killed. Without models: only records are looked at."""
    settings = Settings(port=port, data_folder=data_folder, database=database)  # type: ignore[arg-type]
    service = Service(settings, models=Models(BLIND, DEAF))
    with open_port(settings) as taken:
        serve(service, taken)


@contextmanager
def killable(port: int, data_folder: Path, database: str | None = None) -> Iterator[BaseProcess]:
    """A server that answers; killed at the end, if not before."""
    process = _CONTEXT.Process(target=run, args=(port, data_folder, database), daemon=True)
    process.start()
    try:
        _until_it_answers(port, process)
        yield process
    finally:
        process.kill()
        process.join(TIMEOUT)
        process.close()


def _until_it_answers(port: int, process: BaseProcess) -> None:
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/api/health", timeout=TIMEOUT)
        except httpx.TransportError:
            assert process.is_alive(), "the server did not start"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.02)
        else:
            return
