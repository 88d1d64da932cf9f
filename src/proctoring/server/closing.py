"""How a socket's end is told, and forced on clients that do not listen."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Coroutine

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

NOT_BINARY = 1003
RESTART = 1012
TOO_MANY_BAD_FRAMES = 4000
WRONG_RATE = 4001
TOKEN_EXPIRED = 4003
SESSION_ENDED = 4004
SLOW_LISTENER = 4008
REPLACED = 4009
"""Close codes; ``docs/integrate/sockets.md`` tells clients what they mean."""

PATIENCE = 2.0
"""Seconds that a client has to take the last words before it is cut off."""

MAX_REASON = 120
"""Bytes of a close reason; RFC 6455 leaves room for 123."""


def error_text(code: str, detail: str) -> str:
    """An error as sockets say it (contract 1.1)."""
    return json.dumps({"error": {"code": code, "detail": detail}})


class Farewell:
    """Why a socket is to be closed, once it is."""

    def __init__(self) -> None:
        self.code = 1000
        self.reason = ""
        self._said = asyncio.Event()

    @property
    def said(self) -> bool:
        """Whether the socket is to be closed."""
        return self._said.is_set()

    def say(self, code: int, reason: str) -> None:
        """Close the socket with this; the first reason stands."""
        if not self.said:
            self.code, self.reason = code, reason
            self._said.set()

    async def overdue(self) -> None:
        """Returns when the last words had their time and were not taken."""
        await self._said.wait()
        await asyncio.sleep(PATIENCE)


async def until_first(*parts: Coroutine[None, None, None]) -> None:
    """Run all parts until one returns; cancel the others. A client that goes away is no error."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            raise result


async def close(socket: WebSocket, farewell: Farewell) -> None:
    """Close a socket, if its client has not; one that does not read is left to be cut off."""
    if WebSocketState.DISCONNECTED in (socket.client_state, socket.application_state):
        return
    reason = farewell.reason.encode()[:MAX_REASON].decode(errors="ignore")
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        await asyncio.wait_for(socket.close(farewell.code, reason), PATIENCE)
