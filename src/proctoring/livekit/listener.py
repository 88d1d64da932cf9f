"""The events socket: every message once and in order, across reconnections."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from websockets.asyncio.client import ClientConnection

from proctoring.livekit.messages import BadEventError, ProctoringEvent, parse_event

logger = logging.getLogger("proctoring.livekit")


class EventListener:
    """Remembers what it saw last, so that a reconnection resumes there."""

    def __init__(self, deliver: Callable[[ProctoringEvent], None]) -> None:
        self.last_seq = 0
        self.missed = 0
        """Messages that the server no longer had."""
        self._deliver = deliver
        self._last_time: datetime | None = None

    def begin_anew(self) -> None:
        """The server counts lower than what was heard: it lost its journal, and all is new."""
        self.last_seq = 0

    async def talk(self, socket: ClientConnection) -> None:
        """Deliver messages until the socket closes."""
        while True:
            text = await socket.recv()
            try:
                event = parse_event(text)
            except BadEventError as error:
                # An error that the server tells; why it closes follows in the closing itself.
                logger.debug("%s", error)
                continue
            if self._is_new(event):
                self._deliver(event)

    def _is_new(self, event: ProctoringEvent) -> bool:
        """Keeps track of ``seq``.

        A message numbered as an old one, yet written later, comes from a server that began anew and
        lost its journal: it counts from one again.
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
