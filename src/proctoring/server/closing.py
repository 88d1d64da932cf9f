"""Closing a socket, also one whose client does not read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from proctoring.errors import ProctoringError

CLOSE_TIMEOUT = 2.0
"""Seconds for a client to receive the last messages, and then the close frame, before the connection
is cut."""

NORMAL_CLOSURE = 1000
MAX_REASON = 120
"""Bytes of a close reason; RFC 6455 leaves room for 123."""


class CloseReason:
    """The error that a socket is to be closed with, once there is one."""

    def __init__(self) -> None:
        self._error: ProctoringError | None = None
        self._set = asyncio.Event()

    @property
    def error(self) -> ProctoringError | None:
        """``None`` while the socket may stay open."""
        return self._error

    def set(self, error: ProctoringError) -> None:
        """Close the socket with the code of this error; the first one counts."""
        if self._error is None:
            self._error = error
            self._set.set()

    async def timeout(self) -> None:
        """Return ``CLOSE_TIMEOUT`` seconds after the reason was set."""
        await self._set.wait()
        await asyncio.sleep(CLOSE_TIMEOUT)


async def until_first(*parts: Coroutine[None, None, None]) -> None:
    """Run all parts until one returns; cancel the others. A disconnected client is no error."""
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


async def close(socket: WebSocket, error: ProctoringError | None) -> None:
    """Close a socket unless its client has. A client that does not read is cut off by the server."""
    if WebSocketState.DISCONNECTED in (socket.client_state, socket.application_state):
        return
    code = NORMAL_CLOSURE if error is None else error.close_code or NORMAL_CLOSURE
    detail = "" if error is None else error.detail
    reason = detail.encode()[:MAX_REASON].decode(errors="ignore")
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT):
            await socket.close(code, reason)
