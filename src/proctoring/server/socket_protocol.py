"""uvicorn's WebSocket protocol, with an end to connections that would otherwise stay for ever."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

CUT_OFF = 3.0
"""Seconds after the application is done with a socket, or after a client failed to answer a ping,
after which the connection is cut. Without it a client that reads nothing keeps it open for ever:
what still waits to be written is never written."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """The protocol of every WebSocket connection."""

    def data_received(self, data: bytes) -> None:
        """Bytes came. A handshake that the parser refused (an address of 10,000 characters) is
        answered, which uvicorn itself leaves undone."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    async def run_asgi(self) -> None:
        """Serve the connection, then see that it ends."""
        try:
            await super().run_asgi()
        finally:
            self._cut_off()

    def keepalive_timeout(self) -> None:
        """The client did not answer a ping."""
        super().keepalive_timeout()
        self._cut_off()

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self._cut_off()

    def _cut_off(self) -> None:
        if not self.disconnected:
            self.loop.call_later(CUT_OFF, self.transport.abort)
