"""uvicorn's WebSocket protocol, with time limits for connections that uvicorn would keep open."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

CUT_OFF_DELAY = 3.0
"""Seconds after which a connection is cut once the application has finished with it or its client
failed to answer a ping. Otherwise a client that does not read keeps it open forever, since the data
that waits for it is never written."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """The protocol of every WebSocket connection."""

    def data_received(self, data: bytes) -> None:
        """Parse received bytes. Answers a handshake that the parser rejected (a URL of 10,000
        characters), which uvicorn does not."""
        try:
            super().data_received(data)
        except InvalidState:  # invalid UTF-8 before the handshake was accepted
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.transport.close()
            return
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

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
