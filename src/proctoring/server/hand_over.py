"""Hands the sessions of a server that is about to stop to others, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from proctoring.errors import NotReadyError
from proctoring.session.session import Session
from proctoring.settings import Settings

_log = logging.getLogger(__name__)

STEP = 0.1
"""Seconds between two rounds of sessions."""

PROGRESS = 5.0
"""Seconds between two lines of the log."""

Release = Callable[[Sequence[Session]], Awaitable[None]]
"""Has the state of sessions kept, gives up their sittings and closes their sockets with 1012."""


class Served(Protocol):
    """The service."""

    @property
    def open_sessions(self) -> int:
        """How many there are."""

    @property
    def sessions(self) -> Iterable[Session]:
        """The open ones."""


class Draining:
    """Whether a server is about to stop while its sessions go on. For the event loop.

    Args:
        settings: the operator's.
        now: seconds, monotonic.
    """

    def __init__(self, settings: Settings, now: Callable[[], float]) -> None:
        self.active = False
        """Whether no session may begin any more, though the open ones go on."""
        self.release: Release | None = None
        """``None``: no other server would go on with the sessions."""
        self.stop_process: Callable[[], None] | None = None
        """Stops the process as SIGTERM does; ``None``: whoever started it stops it."""
        self._hand_over = HandOver(rate=settings.drain_rate, limit=settings.drain_timeout, now=now)

    def check(self) -> None:
        """Return if sessions may begin.

        Raises:
            NotReadyError: they may not.
        """
        if self.active:
            raise NotReadyError("the server hands its sessions to others")

    async def run(self, served: Served) -> None:
        """Release all sessions, if others would go on with them."""
        if self.release is None or not served.open_sessions:
            return
        self.active = True
        _log.info("the server stops: %d sessions are handed over", served.open_sessions)
        released = await self._hand_over.run(lambda: tuple(served.sessions), self.release)
        _log.info("%d sessions have been handed over", released)


class HandOver:
    """At a bounded rate: a server that takes a session over reads its state, and builds its analysers.

    Args:
        rate: sessions a second.
        limit: seconds after which the rest is released at once.
        now: seconds, monotonic.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        *,
        rate: float,
        limit: float,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._rate = rate
        self._limit = limit
        self._now = now
        self._sleep = sleep

    async def run(self, sessions: Callable[[], Sequence[Session]], release: Release) -> int:
        """Release all sessions, those too that begin meanwhile. Returns how many there were.

        Args:
            sessions: those that are open.
            release: releases some.
        """
        began = said = self._now()
        released = 0
        while waiting := list(sessions()):
            passed = self._now() - began
            due = 1 + int(self._rate * passed + 1e-6) - released
            batch = waiting if passed >= self._limit else waiting[: max(0, due)]
            if batch:
                await release(batch)
                released += len(batch)
            if self._now() - said >= PROGRESS:
                said = self._now()
                _log.info("%d sessions handed over, %d left", released, len(waiting) - len(batch))
            await self._sleep(STEP)
        return released
