"""Every connection of a server, so that some of them cannot take what the others need.

A connection *waits* while its client has not sent a complete request: between requests, too. When there
are too many, the one that has waited longest is cut: a client that sends its request is not concerned.
"""

from __future__ import annotations

from asyncio import Transport
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n"
    b"content-length: 0\r\n\r\n"
)


class Refusal(StrEnum):
    """Why a connection was cut or not accepted; a label of the metric."""

    FULL = "full"
    """As many connections are open as may be."""
    WAITING = "waiting"
    """It waited longest, and another was opened."""
    REQUEST_TIMEOUT = "request_timeout"
    """Its request did not arrive in time."""
    NOT_READ = "not_read"
    """Its client does not read the answer."""
    MESSAGE_TIMEOUT = "message_timeout"
    """A socket's message did not arrive in time."""
    MESSAGE_MEMORY = "message_memory"
    """It had the largest message when all unfinished messages together took too much memory."""
    TOO_MANY_PARTS = "too_many_parts"
    """A message in too many fragments, or too many pings."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of a server's connections. Times in seconds."""

    most: int = 4096
    """Open at once."""
    message_memory: int = 256 << 20
    """Bytes of messages that have arrived in part, or wait to be handled, of all sockets together."""
    request_timeout: float = 10.0
    """For the header of a request, from its first byte or the connection's beginning."""
    message_timeout: float = 60.0
    """For one message of a socket, for the body of a request, and for a client to read on."""


class Connections:
    """Counts connections and cuts them. For the event loop."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.refused: Counter[Refusal] = Counter()
        """Connections that were cut or not accepted."""
        self._open: set[Transport] = set()
        self._waiting: dict[Transport, None] = {}
        """In the order in which they began to wait."""
        self._held: dict[Transport, int] = {}
        """Bytes of unfinished messages."""
        self.held = 0
        """Bytes of unfinished messages of all sockets."""

    def __len__(self) -> int:
        return len(self._open)

    def opened(self, transport: Transport) -> None:
        """A client connected. If there are too many, the longest waiting one is cut, otherwise this."""
        self._open.add(transport)
        if len(self._open) > self.limits.most:
            if self._waiting:
                self.cut(next(iter(self._waiting)), Refusal.WAITING)
            else:
                transport.write(_BUSY)
                self.cut(transport, Refusal.FULL, at_once=False)
                return
        self._waiting[transport] = None

    def waits(self, transport: Transport) -> None:
        """The connection waits for a request."""
        if transport in self._open:
            self._waiting.setdefault(transport)

    def requested(self, transport: Transport) -> None:
        """A complete request, or a socket's handshake, has arrived."""
        self._waiting.pop(transport, None)

    def holds(self, transport: Transport, size: int) -> None:
        """A socket's unfinished messages have this size now. If all together take too much memory, the
        connection with the largest is cut."""
        if transport not in self._open:
            return
        self.held += size - self._held.get(transport, 0)
        if size:
            self._held[transport] = size
        else:
            self._held.pop(transport, None)
        if self.held > self.limits.message_memory and size:
            self.cut(max(self._held, key=self._held.__getitem__), Refusal.MESSAGE_MEMORY)

    def cut(self, transport: Transport, why: Refusal, *, at_once: bool = True) -> None:
        """Close a connection, without what waits to be sent unless ``at_once`` is false."""
        self.refused[why] += 1
        self.closed(transport)
        if at_once:
            transport.abort()
        else:
            transport.close()

    def closed(self, transport: Transport) -> None:
        """A connection is closed. May be called again."""
        self._open.discard(transport)
        self._waiting.pop(transport, None)
        self.held -= self._held.pop(transport, 0)
