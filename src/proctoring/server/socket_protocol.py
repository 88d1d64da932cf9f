"""uvicorn's WebSocket protocol, with an end to connections that would otherwise stay for ever."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

CUT_OFF_DELAY = 3.0
"""Seconds after the application is done with a socket, or after a client failed to answer a ping,
after which the connection is cut. Without it a client that reads nothing keeps it open for ever:
what still waits to be written is never written."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """The protocol of every WebSocket connection."""

    def data_received(self, data: bytes) -> None:
        """Bytes came. A handshake that the parser refused (an address of 10,000 characters) is
        answered, which uvicorn itself leaves undone."""
        try:
            super().data_received(data)
        except InvalidState:  # text that is none, before the client was accepted
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.transport.close()
            return
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_parser_exception(self) -> None:
        """The client broke the protocol; before it was accepted, there is nobody to say that to."""
        if self.conn.close_sent is None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self.close_sent = True
            self.transport.close()
        else:
            super().handle_parser_exception()

    async def send(self, message: Any) -> None:
        """Send for the application. uvicorn alone takes a refused handshake, and a client that left
        before it was accepted, for mistakes of the application, and logs each as an error."""
        if message["type"] == "websocket.accept" and self.transport.is_closing():
            self.handshake_complete = True
            raise ClientDisconnected
        if (
            message["type"] == "websocket.send"
            and self.close_sent
            and self.initial_response is None
        ):
            raise ClientDisconnected  # it broke the protocol, and the parser closed the connection
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Serve the connection, then see that it ends."""
        try:
            await super().run_asgi()
        finally:
            self._cut_off_later()

    def keepalive_timeout(self) -> None:
        """The client did not answer a ping."""
        super().keepalive_timeout()
        self._cut_off_later()

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self._cut_off_later()

    def _cut_off_later(self) -> None:
        if not self.disconnected:
            self.loop.call_later(CUT_OFF_DELAY, self.transport.abort)
