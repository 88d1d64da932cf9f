"""Ports for servers of the tests' own."""

from __future__ import annotations

import random
import socket

_BELOW_OUTGOING = range(20_000, 32_000)
"""Linux gives outgoing connections ports from 32768 on (``ip_local_port_range``)."""

_dice = random.SystemRandom()


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now, and that no outgoing connection takes before its server does."""
    for port in _dice.sample(_BELOW_OUTGOING, 1000):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("all ports are in use")
