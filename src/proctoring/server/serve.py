"""Runs the application in this process until it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from types import FrameType
from typing import Any, cast

import h11
import uvicorn

from proctoring.browser.report import MAX_REPORT_BYTES
from proctoring.server.app import create_app
from proctoring.server.descriptors import ACCEPT_BATCH
from proctoring.server.http_protocol import HttpProtocol
from proctoring.server.log_limit import OncePerSecond
from proctoring.server.port import BACKLOG
from proctoring.server.service import Service
from proctoring.server.socket_protocol import SocketProtocol

STOP_TIMEOUT = 5
"""Seconds for connections to close when the server stops."""

ONE_SIGNAL = 0.5
"""Seconds in which further signals are the same one: some supervisors send it to a process and to its group."""

SECOND_SIGNAL_TIMEOUT = 1.0
"""Seconds after a second signal in which the process ends, whatever it does."""

LOADING_STOP_TIMEOUT = 1.0
"""Seconds after a signal in which the process ends although models are still being loaded."""

MAX_AUDIO_MESSAGE = 2 << 20
"""Bytes of one message of audio: a minute."""
MAX_REPORT_MESSAGE = 16 * MAX_REPORT_BYTES
"""Bytes of one message to a browser socket. A report that is too long is an error, a longer message closes
the socket."""
MAX_LISTENER_MESSAGE = 4096
"""Bytes of one message to a socket that only sends."""

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

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        self._told_at: float | None = None
        """When a signal told it to."""
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._told_at is not None:
            if time.monotonic() - self._told_at > ONE_SIGNAL:
                self.force_exit = True
                _end_after(SECOND_SIGNAL_TIMEOUT, 1)
            return
        self._told_at = time.monotonic()
        super().handle_exit(sig, frame)
        if self._service.loading and not self._service.open_sessions:
            # A model that is being compiled cannot be interrupted, and there is nothing to lose.
            _end_after(LOADING_STOP_TIMEOUT, 0)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for port in sockets or ():
            port.listen(BACKLOG)  # uvicorn queues as many as it accepts at once

    def stop(self) -> None:
        """Stop, from any thread, as SIGTERM does."""
        self.handle_exit(signal.SIGTERM, None)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._service.draining.run(
            self._service
        )  # while sockets may still be opened, and health be asked
        for server in self.servers:
            server.close()
        await self._service.drain()
        await super().shutdown(sockets)


def _end_after(seconds: float, status: int) -> None:
    """End the process then, whatever its threads do."""
    end = threading.Timer(seconds, os._exit, args=(status,))
    end.daemon = True
    end.start()


def server(service: Service) -> uvicorn.Server:
    """A server for one service.

    ``run(sockets=[open_port(service.settings)])`` returns after ``should_exit`` was set.
    """
    logging.getLogger("uvicorn.error").addFilter(_is_server_fault)
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, OncePerSecond) for one in logger.filters):
            logger.addFilter(OncePerSecond())
    max_message = partial(_max_message, 2 * service.settings.max_frame_bytes)
    config = uvicorn.Config(
        create_app(service=service),
        http=cast(Any, partial(HttpProtocol, service.connections)),
        ws=cast(Any, partial(SocketProtocol, service.connections, max_message)),
        backlog=ACCEPT_BATCH,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=STOP_TIMEOUT,
        # Paths contain session ids, which may identify people.
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
    )
    return _Server(config, service)


def _max_message(frame: int, path: str) -> int:
    """Bytes of a message that a socket takes.

    Args:
        frame: bytes of a message to a video socket.
        path: the socket's.
    """
    limits = {"video": frame, "audio": MAX_AUDIO_MESSAGE, "browser": MAX_REPORT_MESSAGE}
    return limits.get(path.rpartition("/")[2], MAX_LISTENER_MESSAGE)


def serve(service: Service, port: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; returns when everything has stopped.

    Args:
        port: from ``open_port``.
    """
    running = server(service)
    assert isinstance(running, _Server)  # noqa: S101
    service.draining.stop_process = running.stop
    sys.setswitchinterval(SWITCH_INTERVAL)
    for stop in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again after it has stopped; it must have no effect then.
        signal.signal(stop, lambda *_: None)
    running.run(sockets=[port])
