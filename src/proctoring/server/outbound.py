"""What goes out on one media socket: news, errors, the last word."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket

from proctoring.server.closing import REPLACED, SESSION_ENDED, Farewell, error_text

MAX_WAITING = 32
"""Messages of each kind that may wait for a client that does not read; the oldest go."""


class Outbound:
    """Made and used on the event loop; ``call`` alone is for other threads.

    Args:
        what: the socket's name in sentences: "video".
    """

    def __init__(self, what: str) -> None:
        self.farewell = Farewell()
        self._what = what
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._first: str | None = None
        self._observations: deque[str] = deque(maxlen=MAX_WAITING)
        self._notices: deque[str] = deque(maxlen=MAX_WAITING)

    def tell_first(self, text: str) -> None:
        """Send this before all else; what was to go first and did not yet is replaced."""
        self._first = text
        self._news.set()

    def observation(self, text: str) -> None:
        """Send an observation."""
        self._observations.append(text)
        self._news.set()

    def error(self, code: str, detail: str) -> None:
        """Say an error."""
        if not self.farewell.said:
            self._notices.append(error_text(code, detail))
            self._news.set()

    def replaced(self) -> None:
        """A newer socket took over."""
        self.error("replaced", f"a newer {self._what} socket of this session took over")
        self.close(REPLACED, f"replaced by a newer {self._what} socket")

    def ended(self, detail: str) -> None:
        """The session is over."""
        self.close(SESSION_ENDED, f"session ended: {detail}")

    def close(self, code: int, reason: str) -> None:
        """Close the socket once what waits is sent. The first reason stands."""
        self.farewell.say(code, reason)
        self._news.set()

    def call(self, function: Callable[..., object], *args: Any) -> None:
        """Have the event loop call this; from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens any more
            self._loop.call_soon_threadsafe(function, *args)

    async def send(self, socket: WebSocket) -> None:
        """Send what comes, until the socket is to be closed."""
        while True:
            await self._news.wait()
            self._news.clear()
            for text in self._take():
                await socket.send_text(text)
            if self.farewell.said:
                return

    def _take(self) -> list[str]:
        texts = [] if self._first is None else [self._first]
        texts += [*self._observations, *self._notices]
        self._first = None
        self._observations.clear()
        self._notices.clear()
        return texts
