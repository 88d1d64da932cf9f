"""One listener's socket: what was missed, then what comes."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.websockets import WebSocket

from proctoring.delivery.journal import Replay
from proctoring.delivery.listener import Listener
from proctoring.delivery.outbox import Outbox
from proctoring.errors import RecordsUnavailableError, ReplayIncompleteError
from proctoring.server.closing import CloseReason
from proctoring.server.error_answers import error_text


class EventFeed:
    """Made and used on the event loop; the outbox wakes it from any thread.

    Args:
        after: replay what came after this number first; ``None`` for nothing.

    Raises:
        TooManyError: the session has as many listeners as it may.
    """

    def __init__(self, outbox: Outbox, session_id: str, after: int | None) -> None:
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self.closing = CloseReason()
        self._after = after
        self._listener: Listener = outbox.subscribe(session_id, self._wake)

    def unsubscribe(self) -> None:
        """Listen no longer."""
        self._outbox.unsubscribe(self._listener)

    async def send(self, socket: WebSocket) -> None:
        """Send what was missed and what comes, until there is nothing more to come."""
        if self._after is not None:
            try:
                replay = await asyncio.to_thread(self._outbox.catch_up, self._listener, self._after)
            except RecordsUnavailableError as error:
                await socket.send_text(error_text(error))
                self.closing.set(error)
                return
            await send_replay(socket, replay)
            del replay
        while True:
            events, closing = self._listener.drain()
            for event in events:
                await socket.send_text(event.text)
            if closing is not None:
                self._woken()
                await socket.send_text(error_text(closing))
                return
            await self._news.wait()
            self._news.clear()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        self._news.set()
        closing = self._listener.closing
        if closing is not None:
            self.closing.set(closing)


async def send_replay(socket: WebSocket, replay: Replay) -> None:
    """Send what was missed, and say so if that is not all of it."""
    if replay.missing:
        error = ReplayIncompleteError(f"{replay.missing} earlier events are no longer kept")
        await socket.send_text(error_text(error))
    for event in replay.events:
        await socket.send_text(event.text)
