"""Runs the application in this process until it is told to stop."""

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
"""Seconds for connections to close when the server stops."""

SWITCH_INTERVAL = 0.001
"""The interpreter's thread switch interval, seconds. With the default of 5 ms the event loop waits up
to 5 ms for each worker thread that runs Python code."""


_CLIENT_FAULTS = (h11.LocalProtocolError, UnicodeDecodeError)


def _is_server_fault(record: logging.LogRecord) -> bool:
    """Log filter: drops errors of uvicorn that a client causes by violating HTTP or sending invalid
    UTF-8, with which it could fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], _CLIENT_FAULTS))


class _Server(uvicorn.Server):
    """Ends sessions and sends their last events before connections are closed."""

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
    """A server for one service; ``ready`` is called when it accepts connections.

    ``run(sockets=[open_port(service.settings)])`` returns after ``should_exit`` was set.
    """
    logging.getLogger("uvicorn.error").addFilter(_is_server_fault)
    config = uvicorn.Config(
        create_app(service=service),
        ws=SocketProtocol,
        ws_max_size=2 * service.settings.max_frame_bytes,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=STOP_TIMEOUT,
        # Paths contain session ids, which may identify people.
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
    )
    return _Server(config, service, ready)


def serve(service: Service, port: socket.socket, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; returns when everything has stopped.

    Args:
        port: from ``open_port``.
        ready: called when the server accepts connections.

    Raises:
        SettingsError: another process took the port meanwhile.
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
        # uvicorn raises the signal again after it has stopped; it must have no effect then.
        signal.signal(stop, lambda *_: None)
    running.run(sockets=[port])
