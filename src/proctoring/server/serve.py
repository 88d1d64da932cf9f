"""Runs the application in this process, from an open port to a clean stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable

import h11
import uvicorn

from proctoring.errors import SettingsError
from proctoring.server.app import create_app
from proctoring.server.service import Service
from proctoring.server.socket_protocol import SocketProtocol

STOP_TIMEOUT = 5
"""Seconds that connections have to end when the server stops."""

SWITCH_INTERVAL = 0.001
"""Seconds after which a thread that computes in Python gives way. The interpreter's own 5 ms would
let the event loop wait for every worker in turn."""


_CLIENT_FAULTS = (h11.LocalProtocolError, UnicodeDecodeError)


def _is_server_fault(record: logging.LogRecord) -> bool:
    """Whether what uvicorn logs may be a mistake of the application's. A client that breaks HTTP in
    the midst of a request, or sends text that is none, could fill the log with that."""
    return not (record.exc_info and isinstance(record.exc_info[1], _CLIENT_FAULTS))


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


def server(service: Service, ready: Callable[[], None] = lambda: None) -> uvicorn.Server:
    """A server for one service; ``ready`` is called when it answers.

    Its ``run(sockets=[open_port(service.settings)])`` returns when it is told to stop.
    """
    logging.getLogger("uvicorn.error").addFilter(_is_server_fault)
    config = uvicorn.Config(
        create_app(service=service),
        ws=SocketProtocol,
        ws_max_size=2 * service.settings.max_frame_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=STOP_TIMEOUT,
        # Paths name sessions, and those may name people.
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
    )
    return _Server(config, service, ready)


def serve(service: Service, port: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); returns when everything has ended.

    Args:
        port: from ``open_port``.
        ready: called when the server answers.

    Raises:
        SettingsError: another server took the port since then.
    """
    try:
        port.listen()
    except OSError as error:
        settings = service.settings
        raise SettingsError(
            f"cannot serve on {settings.host} port {settings.port}: {error.strerror or error}"
        ) from error
    running = server(service, ready)
    sys.setswitchinterval(SWITCH_INTERVAL)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has stopped; it has been obeyed by then.
        signal.signal(stop, lambda *_: None)
    running.run(sockets=[port])
