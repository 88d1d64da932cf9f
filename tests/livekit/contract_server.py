"""A server with the documented sockets and nothing else, to be broken on purpose.

For faults of the protocol only: what becomes of real media is tested on the real server.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response


@dataclass
class Connection:
    """One socket that a client opened."""

    session: str
    kind: str
    query: dict[str, str]
    authorization: str | None
    socket: ServerConnection
    messages: list[bytes] = field(default_factory=list)


class ContractServer:
    """Records what clients send; says what a test lets it say."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.refused: set[str] = set()
        """Kinds of socket that are refused, as a server without them does."""
        self.events: list[dict[str, Any]] = []
        self.port = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await serve(
            self._talk, "127.0.0.1", self.port, process_request=self._admit, compression=None
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Go away as a server does that is restarted."""
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def of(self, kind: str) -> list[Connection]:
        return [each for each in self.connections if each.kind == kind]

    def open(self, kind: str) -> list[Connection]:
        return [each for each in self.of(kind) if each.socket.close_code is None]

    def received(self, kind: str) -> list[bytes]:
        return [message for each in self.of(kind) for message in each.messages]

    async def publish(self, event: dict[str, Any]) -> None:
        """Append an event and tell everybody who listens."""
        self.events.append(event)
        for each in self.open("events"):
            await each.socket.send(json.dumps(event))

    def _admit(self, _: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path.startswith("/api/sessions/"):
            body = {"last_seq": max((event["seq"] for event in self.events), default=0)}
            return Response(HTTPStatus.OK, "OK", Headers(), json.dumps(body).encode())
        kind = path.rsplit("/", 1)[-1]
        if kind in self.refused:
            return Response(HTTPStatus.FORBIDDEN, "Forbidden", Headers(), b"")
        return None

    async def _talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        parts = urlsplit(socket.request.path)
        *_, session, kind = parts.path.split("/")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        connection = Connection(
            unquote(session), kind, query, socket.request.headers.get("Authorization"), socket
        )
        self.connections.append(connection)
        if kind == "video":
            flow = {
                "frames_per_second": 10.0,
                "max_width": 640,
                "max_height": 480,
                "reason": "",
            }
            await socket.send(json.dumps({"flow": flow}))
        if kind == "events" and "after" in query:
            for event in self.events:
                if event["seq"] > int(query["after"]):
                    await socket.send(json.dumps(event))
        with suppress(ConnectionClosed):
            async for message in socket:
                assert isinstance(message, bytes)
                connection.messages.append(message)


def capture_time(message: bytes) -> int:
    """The microseconds before a JPEG."""
    assert message[8:10] == b"\xff\xd8"
    (microseconds,) = struct.unpack(">Q", message[:8])
    return int(microseconds)


async def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    """Wait until something holds, looking often; fails when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def settled(value: Callable[[], int]) -> int:
    """Wait until a number that rises stays as it is for half a second; what it is then."""
    async with asyncio.timeout(60.0):
        before = -1
        while (now := value()) != before:
            before = now
            await asyncio.sleep(0.5)
        return now
