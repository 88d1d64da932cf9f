"""A real server on a real port, in a thread of the tests."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from tests.server.contract import check_sent
from tests.waiting import TIMEOUT as TIMEOUT
from tests.waiting import until as until
from websockets.sync.client import ClientConnection, connect

from proctoring.audio.networks import AudioModels
from proctoring.models.runtime import available_cores
from proctoring.server.port import address_of, open_port
from proctoring.server.serve import server
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.settings import Settings
from proctoring.vision.networks import VisionModels

_TLS = ssl.create_default_context()
"""For every client, though all addresses are plain HTTP: a context of its own costs each 40 ms."""

DEAF = AudioModels(voice_activity=None, speakers=None, capabilities=())
"""What an installation without any model can hear: how loud it is."""


@dataclass
class Live:
    """A server that runs."""

    address: str
    service: Service
    connections: Callable[[], set[Any]]
    """The connections that the server holds open now."""

    @property
    def http(self) -> httpx.Client:
        """A client of its REST interface."""
        return httpx.Client(base_url=self.address, timeout=TIMEOUT, verify=_TLS)

    def socket(self, path: str, **options: Any) -> ClientConnection:
        """One of its sockets: ``exam-7/video?observe=1``."""
        url = self.address.replace("http", "ws", 1) + "/ws/proctor/" + path
        options = {"max_size": None, "compression": None, "open_timeout": TIMEOUT, **options}
        connection: ClientConnection = connect(url, **options)
        return connection


@contextmanager
def running(models: VisionModels, audio: AudioModels = DEAF, **chosen: Any) -> Iterator[Live]:
    """A server with these models and settings, and records of its own; stops, cleanly, at the end."""
    if "data_folder" not in chosen:
        with TemporaryDirectory(prefix="proctoring-test-") as folder:
            with running(models, audio, data_folder=Path(folder), **chosen) as live:
                yield live
            return
    # Two at least: beside a single one, a busy machine's detections make frames wait, and rates fall.
    chosen.setdefault("workers", max(2, available_cores()))
    settings = Settings(**{"port": 0, **chosen})
    ready = Event()
    service = Service(settings, models=Models(models, audio), loading_ended=ready.set)
    with open_port(settings) as port:
        serving = server(service)
        thread = Thread(target=serving.run, kwargs={"sockets": [port]})
        thread.start()
        try:
            assert ready.wait(TIMEOUT), "the server did not start"
            yield Live(address_of(port), service, lambda: serving.server_state.connections)
        finally:
            serving.should_exit = True
            thread.join(TIMEOUT)
            assert not thread.is_alive(), "the server did not stop"


@dataclass
class Clock:
    """A server's clock that stands still until a test moves it."""

    seconds: float

    def __call__(self) -> float:
        return self.seconds


@contextmanager
def standing_clock(live: Live) -> Iterator[Clock]:
    """A server whose time passes with the media that a test sends: on a busy machine, where an answer comes late, media
    time would follow arrival."""
    with pytest.MonkeyPatch.context() as patch:
        clock = Clock(live.service.now())
        patch.setattr(live.service, "now", clock)
        yield clock


def receive(socket: ClientConnection, timeout: float = TIMEOUT) -> Any:
    """The next JSON message; the test fails if the documented interface does not have it."""
    message = json.loads(socket.recv(timeout=timeout))
    check_sent(message)
    return message


def receive_key(socket: ClientConnection, key: str) -> Any:
    """What the next message that has this key has under it; others are passed over."""
    while True:
        message = receive(socket)
        if key in message:
            return message[key]
