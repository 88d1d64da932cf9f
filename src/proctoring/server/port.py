"""The port to serve on, opened before anything is loaded."""

from __future__ import annotations

import os
import socket

from proctoring.errors import SettingsError
from proctoring.server.access import AccessMode, access_mode, is_loopback
from proctoring.settings import Settings

BACKLOG = 2048
"""Connections that wait to be accepted; uvicorn's own default."""


def open_port(settings: Settings) -> socket.socket:
    """Open the port early: an error shows at once, and connections wait until the server accepts them.

    Raises:
        SettingsError: it cannot be opened, or other machines could connect although no tokens are
            configured.
    """
    host, port = settings.host, settings.port
    if access_mode(settings) is AccessMode.LOCAL and not is_loopback(host):
        raise SettingsError(
            f"{host} can be reached from other machines, and nobody would have to say who he is: "
            "set PROCTORING_TOKEN_SECRET (docs/operate/security.md), serve on 127.0.0.1, or add --insecure "
            "if that is meant"
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
        taken.listen(BACKLOG)
    except OSError as error:
        taken.close()
        raise SettingsError(
            f"cannot serve on {host} port {port}: {error.strerror or error}"
        ) from error
    return taken


def address_of(port: socket.socket) -> str:
    """The URL to open in a browser: ``http://127.0.0.1:8000``."""
    host, number = port.getsockname()[:2]
    return f"http://[{host}]:{number}" if ":" in host else f"http://{host}:{number}"
