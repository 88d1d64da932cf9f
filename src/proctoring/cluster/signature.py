"""Marks a request as another server's: a header with a signature by the secret that all servers share."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

HEADER = "x-proctoring-peer"

VALID_FOR = 30.0
"""Seconds by which the clocks of two servers may differ."""

MAX_CLIENT = 64
"""Characters of an address."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Signs and checks requests between servers. A request that has been forwarded once is not again."""

    secret: bytes

    def sign(self, method: str, path: str, client: str, now: float) -> str:
        """The header's value.

        Args:
            method: of the request; ``WEBSOCKET`` for a socket.
            path: of the request, percent-encoded, without its query.
            client: address of the client that the request is forwarded for; may be empty.
            now: Unix time, seconds.
        """
        shown = client[:MAX_CLIENT]
        return f"{now:.0f} {shown or '-'} {self._digest(method, path, shown or '-', f'{now:.0f}')}"

    def client_of(self, value: str, method: str, path: str, now: float) -> str | None:
        """The client of a request with this header; ``None`` if no server of the cluster sent it."""
        parts = value.split(" ")
        if len(parts) != 3:
            return None
        time, client, digest = parts
        if not hmac.compare_digest(
            digest.encode(), self._digest(method, path, client, time).encode()
        ):
            return None
        if not time.isdecimal() or abs(int(time) - now) > VALID_FOR:
            return None
        return "" if client == "-" else client

    def _digest(self, method: str, path: str, client: str, time: str) -> str:
        text = "\n".join((time, client, method, path))
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
