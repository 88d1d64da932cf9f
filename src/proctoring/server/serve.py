"""Runs the application in this process, from an open port to a clean stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvicorn

from proctoring.errors import SettingsError
from proctoring.server.access import is_loopback
from proctoring.server.app import create_app
from proctoring.server.service import Service
from proctoring.server.socket_protocol import SocketProtocol
from proctoring.settings import Settings

STOP = 5
"""Seconds that connections have to end when the server stops."""

SWITCH = 0.001
"""Seconds after which a thread that computes in Python gives way. The interpreter's own 5 ms would
let the event loop wait for every worker in turn."""


def open_port(settings: Settings) -> socket.socket:
    """Take the port, so that a mistake shows before anything else is done.

    Raises:
        SettingsError: it cannot be had, or others than this machine could reach it unasked.
    """
    host, port = settings.host, settings.port
    if not settings.insecure and not is_loopback(host):
        raise SettingsError(
            f"{host} can be reached from other machines, and nobody would have to say who he is: "
            "serve on 127.0.0.1, or add --insecure if that is meant"
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"no address {host!r} here: {error.strerror or error}") from error
    try:
        if os.name == "posix":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise SettingsError(
            f"cannot serve on {host} port {port}: {error.strerror or error}"
        ) from error
    return taken


def address_of(port: socket.socket) -> str:
    """The address to open in a browser: ``http://127.0.0.1:8000``."""
    host, number = port.getsockname()[:2]
    return f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"


class _Server(uvicorn.Server):
    """Lets sessions end, and listeners hear of it, before connections are closed."""

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._service = service
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._service.drain()
        await super().shutdown(sockets)


def server(
    settings: Settings, service: Service, ready: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """A server for one service; ``ready`` is called when it answers.

    Its ``run(sockets=[open_port(settings)])`` returns when it is told to stop.
    """
    config = uvicorn.Config(
        create_app(settings, service=service),
        ws=SocketProtocol,
        ws_max_size=2 * settings.max_frame_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=STOP,
        # Paths name sessions, and those may name people.
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
    )
    return _Server(config, service, ready)


def serve(settings: Settings, port: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); returns when everything has ended.

    Args:
        port: from ``open_port``.
        ready: called when the server answers.

    Raises:
        SettingsError: it cannot, for a reason that the operator can change.
    """
    service = Service(settings)
    running = server(settings, service, ready)
    sys.setswitchinterval(SWITCH)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has stopped; it has been obeyed by then.
        signal.signal(stop, lambda *_: None)
    running.run(sockets=[port])
