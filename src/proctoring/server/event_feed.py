"""Events to one listener's socket: first a replay, then new ones."""

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
    """One listener. For the event loop; the outbox wakes it from any thread.

    Args:
        after: first replay events with a higher seq; ``None``: no replay.

    Raises:
        TooManyError: the session has the maximum number of listeners.
    """

    def __init__(self, outbox: Outbox, session_id: str, after: int | None) -> None:
        self._outbox = outbox
        self._loop = asyncio.get_running_loop()
        self._wake_up = asyncio.Event()
        self.closing = CloseReason()
        self._after = after
        self._listener: Listener = outbox.subscribe(session_id, self._wake)

    def unsubscribe(self) -> None:
        """Stop listening."""
        self._outbox.unsubscribe(self._listener)

    async def send(self, socket: WebSocket) -> None:
        """Send the replay and new events; return when the listener is closed."""
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
                self._on_wake()
                await socket.send_text(error_text(closing))
                return
            await self._wake_up.wait()
            self._wake_up.clear()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
            self._loop.call_soon_threadsafe(self._on_wake)

    def _on_wake(self) -> None:
        self._wake_up.set()
        closing = self._listener.closing
        if closing is not None:
            self.closing.set(closing)


async def send_replay(socket: WebSocket, replay: Replay) -> None:
    """Send replayed events, after an error if some of them are no longer kept."""
    if replay.missing:
        error = ReplayIncompleteError(f"{replay.missing} earlier events are no longer kept")
        await socket.send_text(error_text(error))
    for event in replay.events:
        await socket.send_text(event.text)
