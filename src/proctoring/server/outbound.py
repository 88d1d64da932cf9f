"""Messages to the client of one media socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket

from proctoring.errors import (
    ProctoringError,
    ReplacedError,
    SessionEndedError,
    SessionMovedError,
)
from proctoring.server.closing import CloseReason
from proctoring.server.error_answers import error_text

MAX_WAITING = 32
"""Messages of each kind that wait for a client that does not read; the oldest are dropped."""


class Outbound:
    """Queues messages and sends them in order. For the event loop; only ``call`` is thread-safe.

    Args:
        what: the kind of socket, for error messages: "video".
    """

    def __init__(self, what: str) -> None:
        self.closing = CloseReason()
        self._what = what
        self._loop = asyncio.get_running_loop()
        self._wake_up = asyncio.Event()
        self._first: str | None = None
        self._observations: deque[str] = deque(maxlen=MAX_WAITING)
        self._notices: deque[str] = deque(maxlen=MAX_WAITING)

    def send_first(self, text: str) -> None:
        """Send this before all other messages. Replaces such a message that was not sent yet."""
        self._first = text
        self._wake_up.set()

    def observation(self, text: str) -> None:
        """Send an observation."""
        self._observations.append(text)
        self._wake_up.set()

    def error(self, error: ProctoringError) -> None:
        """Send an error; the socket stays open."""
        if self.closing.error is None:
            self._notices.append(error_text(error))
            self._wake_up.set()

    def replaced(self) -> None:
        """Close the socket: a newer one took over."""
        self.close(ReplacedError(f"a newer {self._what} socket of this session took over"))

    def ended(self, detail: str) -> None:
        """Close the socket: the session has ended."""
        self.close(SessionEndedError(f"session ended: {detail}"))

    def moved(self, detail: str) -> None:
        """Close the socket: the session goes on at another server."""
        self.close(SessionMovedError(detail))

    def close(self, error: ProctoringError) -> None:
        """Send what waits, then this error, then close the socket. The first call counts."""
        self.error(error)
        self.closing.set(error)

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the event loop. Thread-safe."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
            self._loop.call_soon_threadsafe(function, *args)

    async def send(self, socket: WebSocket) -> None:
        """Send messages as they are queued; return when the socket is to be closed."""
        while True:
            await self._wake_up.wait()
            self._wake_up.clear()
            last = self.closing.error is not None
            for text in self._take_pending():
                await socket.send_text(text)
            if last:
                return

    def _take_pending(self) -> list[str]:
        texts = [] if self._first is None else [self._first]
        texts += [*self._observations, *self._notices]
        self._first = None
        self._observations.clear()
        self._notices.clear()
        return texts
