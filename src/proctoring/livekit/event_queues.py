"""Events to the application: its handler and its iterators, each behind a bounded queue."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

from proctoring.livekit.messages import ProctoringEvent

logger = logging.getLogger("proctoring.livekit")

EventHandler = Callable[[ProctoringEvent], Awaitable[None] | None]
_Queue = asyncio.Queue[ProctoringEvent | None]
_QUEUED = 10_000
"""Events that may wait for a slow handler or iterator; beyond, the oldest are dropped and counted."""


class EventQueues:
    """One queue per consumer. ``None`` in a queue ends it."""

    def __init__(self) -> None:
        self.dropped = 0
        """Events that a slow consumer did not get."""
        self._queues: list[_Queue] = []

    def publish(self, event: ProctoringEvent) -> None:
        """Append the event to every queue."""
        for queue in self._queues:
            self.dropped += _put(queue, event)

    def subscribe(self) -> _Queue:
        """A queue of every event from now on."""
        queue: _Queue = asyncio.Queue(_QUEUED)
        self._queues.append(queue)
        return queue

    async def iterate(self) -> AsyncIterator[ProctoringEvent]:
        """Every event from the first step on, in order, until closed."""
        queue = self.subscribe()
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._queues.remove(queue)

    def close(self) -> None:
        """End every queue after what it holds."""
        for queue in self._queues:
            _put(queue, None)


async def call_handler(handler: EventHandler, queue: _Queue) -> None:
    """Call the handler with every event of a queue until it ends; its exceptions are logged."""
    while (event := await queue.get()) is not None:
        try:
            result = handler(event)
            if inspect.isawaitable(result):
                await result
        except Exception:
            # A fault of the application must not cost it the events that follow.
            logger.exception("the event handler failed")


def _put(queue: _Queue, event: ProctoringEvent | None) -> int:
    """Append to a queue; a full one drops its oldest. Returns how many were dropped."""
    dropped = 0
    if queue.full():
        queue.get_nowait()
        dropped = 1
    queue.put_nowait(event)
    return dropped
