"""uvicorn's WebSocket protocol, with limits of time, size and memory that uvicorn does not have."""

from __future__ import annotations

from asyncio import TimerHandle
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.http11 import Request

from proctoring.server.connections import Connections, Refusal
from proctoring.server.rate_limit import TokenBucket

CUT_OFF_DELAY = 3.0
"""Seconds after which a connection is cut once the application has finished with it or its client
failed to answer a ping. Otherwise a client that does not read keeps it open forever, since the data
that waits for it is never written."""


MAX_FRAGMENTS = 4096
"""Fragments of one message. Browsers and libraries send a message whole, or in pieces of 4 KiB or more."""
MAX_PINGS_PER_SECOND = 10.0
"""Pings and pongs that a client may send; 20 times as many at once. Usual is one in 20 s."""
_PIECE = 8 << 10
"""Bytes parsed before it is checked again whether to go on: 1,300 of the smallest frames."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """The protocol of every WebSocket connection.

    Args:
        counted: all connections of the server.
        max_message: the largest message, in bytes, that a socket of this path takes.
        options: uvicorn's.
    """

    def __init__(
        self, counted: Connections, max_message: Callable[[str], int], **options: Any
    ) -> None:
        super().__init__(**options)
        self._counted = counted
        self._max_message = max_message
        self._unparsed = b""
        """Received before reading was paused."""
        self._queued = 0
        """Bytes of complete messages that wait to be handled."""
        self._unfinished: TimerHandle | None = None
        """Limits the time of the message that is being received."""
        self._pings = TokenBucket(MAX_PINGS_PER_SECOND, 20 * MAX_PINGS_PER_SECOND, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._counted.closed(self.transport)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes, as far as there is room for messages."""
        self._unparsed += data
        self._parse_more()

    def _parse_more(self) -> None:
        data, self._unparsed = self._unparsed, b""
        for start in range(0, len(data), _PIECE):
            if self.transport.is_closing():
                return
            if self.read_paused:
                self._unparsed = data[start:]
                break
            self._parse(data[start : start + _PIECE])
        self._follow()

    def _parse(self, data: bytes) -> None:
        """Answers a handshake that the parser rejected (a URL of 10,000 characters), which uvicorn does
        not."""
        try:
            super().data_received(data)
        except InvalidState:  # invalid UTF-8 before the handshake was accepted
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.transport.close()
            return
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _follow(self) -> None:
        """Count what is held for this client, and limit the time of a message that has begun."""
        begun = len(self.conn.reader.buffer) + (self.conn.current_size or 0)
        self._counted.holds(self.transport, begun + self._queued + len(self._unparsed))
        if not begun and self.conn.current_size is None:
            self._stop_timer()
        elif self._unfinished is None and not self.transport.is_closing():
            self._start_timer()

    def _start_timer(self) -> None:
        timeout = self._counted.limits.message_timeout
        self._unfinished = self.loop.call_later(timeout, self._message_late)

    def _stop_timer(self) -> None:
        if self._unfinished is not None:
            self._unfinished.cancel()
            self._unfinished = None

    def _message_late(self) -> None:
        self._unfinished = None
        if self.read_paused:  # it is our turn: a rate is limited
            self._start_timer()
        else:
            self._fail(1008, "the message did not arrive in time", Refusal.MESSAGE_TIMEOUT)

    def _fail(self, code: int, reason: str, why: Refusal) -> None:
        """Close the connection of a client that violates a limit."""
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.conn.fail(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._counted.cut(self.transport, why, at_once=False)
        self._cut_off_later()

    def handle_connect(self, event: Request) -> None:
        """A handshake arrived: messages may be as large as those of its socket are."""
        self.conn.max_message_size = self._max_message(event.path.partition("?")[0])
        super().handle_connect(event)

    def handle_cont(self, event: Frame) -> None:
        """A further fragment of a message."""
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(1009, f"more than {MAX_FRAGMENTS} fragments", Refusal.TOO_MANY_PARTS)
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """A message is complete."""
        self._stop_timer()
        self._queued += sum(map(len, self.frames))
        super().send_receive_event_to_app()

    async def receive(self) -> Any:
        """The next message for the application."""
        message: Any = await super().receive()
        if message["type"] == "websocket.receive":
            self._queued = 0 if self.queue.empty() else self._queued - _size(message)
            if self._unparsed and not self.read_paused:
                self._parse_more()
            else:
                self._follow()
        return message

    def handle_ping(self) -> None:
        """Answer a ping, unless earlier answers still wait for the client to read them."""
        if self._pings_too_often():
            return
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_pong(self, event: Frame) -> None:
        """An answer to our ping, or an unsolicited one."""
        if not self._pings_too_often():
            super().handle_pong(event)

    def _pings_too_often(self) -> bool:
        if self._pings.consume(1, self.loop.time()) == 0:
            return False
        self._fail(1008, "too many pings", Refusal.TOO_MANY_PARTS)
        return True

    def handle_parser_exception(self) -> None:
        """The client violated the protocol. Before it was accepted, no close frame can be sent."""
        if self.conn.close_sent is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.close_sent = True
            self.transport.close()
        else:
            super().handle_parser_exception()

    async def send(self, message: Any) -> None:
        """Send a message of the application.

        uvicorn treats a refused handshake, and a client that disconnects before it is accepted, as
        errors of the application and logs them.
        """
        if message["type"] == "websocket.accept" and self.transport.is_closing():
            self.handshake_complete = True
            raise ClientDisconnected
        if (
            message["type"] == "websocket.send"
            and self.close_sent
            and self.initial_response is None
        ):
            raise ClientDisconnected  # the parser closed the connection: a protocol violation
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Serve the connection, then limit how long it takes to close."""
        try:
            await super().run_asgi()
        finally:
            self._cut_off_later()

    def keepalive_timeout(self) -> None:
        """Close the connection of a client that did not answer a ping."""
        super().keepalive_timeout()
        self._cut_off_later()

    def shutdown(self) -> None:
        """Close the connection: the server stops."""
        super().shutdown()
        self._cut_off_later()

    def _cut_off_later(self) -> None:
        if not self.disconnected:
            self.loop.call_later(CUT_OFF_DELAY, self.transport.abort)


def _size(message: Any) -> int:
    """Bytes of a message, about: characters of a text."""
    return len(message.get("bytes") or message.get("text") or "")
