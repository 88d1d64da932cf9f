"""Joins a client's socket to one of the server that owns its session: messages and close codes both ways.

Neither side is read faster than the other takes it: what waits is a few messages in each direction.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from proctoring.cluster.forward_http import is_refusal
from proctoring.cluster.place import Elsewhere, ForwardError
from proctoring.cluster.requests import kept_headers, target

OPEN_TIMEOUT = 5.0
"""Seconds for the owner to accept: a session that begins is written first."""

CLOSE_TIMEOUT = 1.0
"""Seconds for either side to answer a close."""

MAX_WAITING = 8
"""Messages from the owner that wait for a slow client."""

RESTARTING = 1012
"""Close code: connect again (RFC 6455, registered by IANA as Service Restart)."""

_OF_HANDSHAKE = (
    b"host",
    b"sec-websocket-key",
    b"sec-websocket-version",
    b"sec-websocket-extensions",
    b"sec-websocket-protocol",
    b"content-length",
)
_SAID = {1005: 1000, 1006: RESTARTING}
"""What is told to a client for a code that cannot be sent: none was given; the connection broke."""


@dataclass(eq=False)
class Forward:
    """One socket that is forwarded."""

    place: Elsewhere
    _cut: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Close it with 1012: its owner does not live, or not for this session."""
        self._cut.set()

    async def run(self, mark: tuple[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        """Open the owner's socket and pass messages on until either side ends.

        Args:
            mark: name and value of the header that says that a server sends this.
            scope: the handshake, not answered yet.
            receive: the client's messages.
            send: to the client.

        Raises:
            ForwardError: the owner could not be reached; the handshake is not answered.
        """
        try:
            owner = await self._open(mark, scope)
        except InvalidStatus as error:
            await receive()  # the handshake
            await _refuse(error, scope, receive, send)
            return
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError) as error:
            raise ForwardError(self.place, refused=is_refusal(error)) from error
        try:
            await receive()
            await send({"type": "websocket.accept", "subprotocol": owner.subprotocol})
            await self._join(owner, receive, send)
        finally:
            owner.transport.abort()  # after a close that both know of this does nothing

    async def _open(self, mark: tuple[str, str], scope: Scope) -> ClientConnection:
        opening = asyncio.ensure_future(_open(self.place.address, mark, scope))
        cut = asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait((opening, cut), return_when=asyncio.FIRST_COMPLETED)
        finally:
            cut.cancel()
            if not opening.done():
                opening.cancel()
        if not opening.done():
            raise TimeoutError("the owner's lease is gone")
        return opening.result()

    async def _join(self, owner: ClientConnection, receive: Receive, send: Send) -> None:
        parts = [
            asyncio.ensure_future(_to_owner(owner, receive)),
            asyncio.ensure_future(_to_client(owner, send)),
            asyncio.ensure_future(self._cut.wait()),
        ]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            client_left = parts[0].done()
        finally:
            for part in parts:
                part.cancel()
            results = await asyncio.gather(*parts, return_exceptions=True)
        if not client_left:
            closed = results[1] if isinstance(results[1], tuple) else (RESTARTING, "")
            code, reason = (RESTARTING, "its server is gone") if self._cut.is_set() else closed
            with contextlib.suppress(RuntimeError, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await send({"type": "websocket.close", "code": code, "reason": reason})
        elif isinstance(results[0], tuple):
            code, reason = results[0]
            with contextlib.suppress(OSError, TimeoutError, ConnectionClosed):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await owner.close(code, reason)


async def _open(address: str, mark: tuple[str, str], scope: Scope) -> ClientConnection:
    parts = urlsplit(address)
    secure = parts.scheme == "https"
    headers = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in kept_headers(scope, _OF_HANDSHAKE)
    ]
    host = next((v.decode("latin-1") for n, v in scope["headers"] if n.lower() == b"host"), "")
    options: dict[str, Any] = {}
    if secure:
        options = {"ssl": ssl.create_default_context(), "server_hostname": parts.hostname}
    return await connect(
        # The host is the one that the client asked: access is decided by it.
        f"{'wss' if secure else 'ws'}://{host or parts.netloc}{target(scope)}",
        host=parts.hostname,
        port=parts.port or (443 if secure else 80),
        additional_headers=[*headers, mark],
        user_agent_header=None,
        subprotocols=[Subprotocol(one) for one in scope.get("subprotocols", ())] or None,
        compression=None,
        open_timeout=OPEN_TIMEOUT,
        close_timeout=CLOSE_TIMEOUT,
        ping_interval=None,  # that the owner lives is known from its lease
        max_size=None,  # the owner's messages, whose size it bounds itself
        max_queue=MAX_WAITING,
        proxy=None,
        **options,
    )


async def _to_owner(owner: ClientConnection, receive: Receive) -> tuple[int, str]:
    """Pass on a client's messages; returns the code and reason with which it closed."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            code = message.get("code") or 1005
            return _SAID.get(code, code) if code != 1006 else 1001, message.get("reason") or ""
        data = message.get("bytes")
        try:
            await owner.send(message["text"] if data is None else data)
        except ConnectionClosed:
            await asyncio.Event().wait()  # the other direction says why, and ends this one


async def _to_client(owner: ClientConnection, send: Send) -> tuple[int, str]:
    """Pass on the owner's messages; returns the code and reason to close with."""
    try:
        while True:
            message = await owner.recv()
            key = "text" if isinstance(message, str) else "bytes"
            await send({"type": "websocket.send", key: message})
    except ConnectionClosed:
        code = owner.close_code or 1006
        return _SAID.get(code, code), owner.close_reason or ""


async def _refuse(error: InvalidStatus, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the client's handshake as the owner answered."""
    answer = error.response
    names = ("content-type", "retry-after", "www-authenticate")
    headers = {name: answer.headers[name] for name in names if name in answer.headers}
    await Response(bytes(answer.body or b""), answer.status_code, headers)(scope, receive, send)
