"""uvicorn's HTTP protocol, with time limits for requests that do not arrive and answers not read."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle, Transport
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from proctoring.server.connections import Connections, Refusal

_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_PIECE = 16 << 10
"""Bytes parsed before it is checked again whether to go on."""
_LINGER = 2.0
"""Seconds in which a client can read why its request was refused."""


class HttpProtocol(H11Protocol):
    """The protocol of every connection until it becomes a WebSocket.

    Args:
        counted: all connections of the server.
        options: uvicorn's.
    """

    def __init__(self, counted: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._counted = counted
        self._timer: TimerHandle | None = None
        self._timed: type[h11.IDLE] | type[h11.SEND_BODY] | None = None
        """What the timer limits: the header, the body, nothing."""
        self._stalled: TimerHandle | None = None
        self._upgraded = False
        self._discards = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected; its request is due."""
        super().connection_made(cast(Transport, transport))
        self._counted.opened(self.transport)
        self._limit(h11.IDLE)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes."""
        for start in range(0, len(data), _PIECE):
            if self._discards or self._upgraded or self.transport.is_closing():
                return
            super().data_received(data[start : start + _PIECE])
            self._discards = self._is_chunked()
        self._follow()

    def on_response_complete(self) -> None:
        """The answer is sent; the next request may begin."""
        super().on_response_complete()
        if self._discards:
            self.loop.call_later(_LINGER, self.transport.abort)
        self._follow()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Pass the connection to the WebSocket protocol."""
        self._upgraded = True
        self._limit(None)
        self._counted.requested(self.transport)
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """The client reads more slowly than the answer is made."""
        super().pause_writing()
        timeout = self._counted.limits.message_timeout
        self._stalled = self.loop.call_later(timeout, self._cut, Refusal.NOT_READ)

    def resume_writing(self) -> None:
        """The client has read what waited."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._limit(None)
        self._counted.closed(self.transport)
        super().connection_lost(exc)
        if self._stalled is not None:
            self._stalled.cancel()

    def _is_chunked(self) -> bool:
        """Whether the body is one of chunks. Such requests are refused (``Guard``) and their bodies not
        parsed: each of its chunks, of a byte maybe, would be."""
        return self.conn.their_state is h11.SEND_BODY and any(
            name == b"transfer-encoding" for name, _ in self.headers
        )

    def _follow(self) -> None:
        """Limit the time of what is expected from the client now."""
        if self._upgraded or self.transport.is_closing():
            return
        state = self.conn.their_state
        if state is h11.IDLE:
            self._counted.waits(self.transport)
            between = self.cycle is not None and not self.conn.trailing_data[0]
            self._limit(None if between else h11.IDLE)  # uvicorn limits the time between requests
        elif state is h11.SEND_BODY:
            self._limit(h11.SEND_BODY)
        else:
            self._counted.requested(self.transport)
            self._limit(None)

    def _limit(self, what: type[h11.IDLE] | type[h11.SEND_BODY] | None) -> None:
        if what is self._timed:
            return
        self._timed = what
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        limits = self._counted.limits
        if what is h11.IDLE:
            self._timer = self.loop.call_later(limits.request_timeout, self._time_out)
        elif what is h11.SEND_BODY:
            self._timer = self.loop.call_later(limits.message_timeout, self._time_out)

    def _time_out(self) -> None:
        if not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_TIMED_OUT)
            self._counted.cut(self.transport, Refusal.REQUEST_TIMEOUT, at_once=False)
            self.loop.call_later(_LINGER, self.transport.abort)

    def _cut(self, why: Refusal) -> None:
        self._counted.cut(self.transport, why)
