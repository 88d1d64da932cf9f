"""The events socket: every event once and in order, across reconnections."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from websockets.asyncio.client import ClientConnection

from proctoring.livekit.messages import BadEventError, ProctoringEvent, parse_event

logger = logging.getLogger("proctoring.livekit")


class EventListener:
    """Receives events and remembers the last number, from which a reconnection resumes.

    Args:
        deliver: called with every new event.
    """

    def __init__(self, deliver: Callable[[ProctoringEvent], None]) -> None:
        self.last_seq = 0
        """Number of the last event; 0 before the first."""
        self.missed = 0
        """Events that the server no longer had."""
        self._deliver = deliver
        self._last_time: datetime | None = None

    def reset(self) -> None:
        """Expect events from number one: the server lost its journal."""
        self.last_seq = 0

    async def run(self, socket: ClientConnection) -> None:
        """Deliver events until the socket closes."""
        while True:
            text = await socket.recv()
            try:
                event = parse_event(text)
            except BadEventError as error:
                # An error message of the server; the close code that follows says what to do.
                logger.debug("%s", error)
                continue
            if self._is_new(event):
                self._deliver(event)

    def _is_new(self, event: ProctoringEvent) -> bool:
        """Whether an event was not delivered before; updates ``last_seq``.

        An event with an old number but a later time comes from a server that lost its journal and
        counts from one again.
        """
        if event.seq <= self.last_seq:
            if self._last_time is None or event.time <= self._last_time:
                return False
            logger.warning("the server counts events from %d again", event.seq)
        elif self.last_seq and event.seq > self.last_seq + 1:
            self.missed += event.seq - self.last_seq - 1
            logger.warning("%d events are missing", event.seq - self.last_seq - 1)
        self.last_seq = event.seq
        self._last_time = event.time
        return True
