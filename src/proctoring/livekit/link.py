"""One socket of a session, kept open: reconnects until told to stop, and knows when not to."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from proctoring.errors import (
    ReplacedError,
    SessionEndedError,
    SettingsError,
    closes_for_good,
)
from proctoring.livekit.address import ServerAddress
from proctoring.livekit.answers import read_error

logger = logging.getLogger("proctoring.livekit")

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
_RARELY = 60.0
"""Seconds between attempts while the server refuses: it answers, so hurry helps nobody."""


class LinkState(StrEnum):
    """What a link is doing."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    """Lost; the next attempt comes soon."""
    REFUSED = "refused"
    """The server answered with an error that does not pass by itself: tried rarely."""
    ENDED = "ended"
    """The session has ended; not tried again."""
    REPLACED = "replaced"
    """Somebody else feeds this session now; not tried again, or the two would throw each other out."""
    CLOSED = "closed"


def delay_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, capped, and not all at once."""
    full = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(failures - 1, 10))
    return full * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What follows an attempt, and why."""

    state: LinkState
    reason: str = ""
    retry_after: float = 0.0
    """Seconds that the server asks to wait."""


class Link:
    """Keeps one socket open while ``run`` runs and gives it to ``talk``.

    ``talk`` has the socket to itself; when it returns, the link reconnects at once.
    """

    def __init__(
        self,
        name: str,
        server: ServerAddress,
        where: Callable[[], str],
        talk: Callable[[ClientConnection], Awaitable[None]],
        *,
        prepare: Callable[[], Awaitable[None]] | None = None,
        changed: Callable[[], None] | None = None,
        rarely: float = _RARELY,
    ) -> None:
        self.name = name
        self.state = LinkState.CONNECTING
        self.reason = ""
        """Why it is not open, in words."""
        self.connections = 0
        """How many times it was opened."""
        self.opened = asyncio.Event()
        """Set once it was opened for the first time."""
        self._server = server
        self._where = where
        self._talk = talk
        self._prepare = prepare
        self._changed = changed
        self._rarely = rarely

    async def run(self) -> None:
        """Until cancelled, or until the session has ended or was taken over."""
        failures = 0
        try:
            while True:
                opened = self.connections
                outcome = await self._once()
                failures = 1 if self.connections > opened else failures + 1
                if outcome.state is LinkState.CONNECTING:
                    continue
                self._become(outcome.state, outcome.reason)
                if outcome.state in (LinkState.ENDED, LinkState.REPLACED):
                    return
                delay = max(delay_after(failures), outcome.retry_after)
                refused = outcome.state is LinkState.REFUSED
                await asyncio.sleep(self._rarely if refused else delay)
        except asyncio.CancelledError:
            self._become(LinkState.CLOSED, "")
            raise

    async def _once(self) -> _Outcome:
        """Connect and talk, once."""
        try:
            if self._prepare:
                await self._prepare()
            async with connect(
                self._where(),
                additional_headers=self._server.headers,
                compression=None,  # JPEG and noise do not compress
                open_timeout=10,
                close_timeout=2,
                ping_interval=5,
                ping_timeout=10,
            ) as socket:
                self.connections += 1
                self.opened.set()
                self._become(LinkState.OPEN, "")
                try:
                    await self._talk(socket)
                finally:
                    # Said goodbye to also when cancelled; by itself that would close with an error.
                    await socket.close()
        except ConnectionClosed as closed:
            return _after_close(closed)
        except InvalidStatus as refused:
            return _after_refusal(refused)
        except SettingsError as error:
            return _Outcome(LinkState.REFUSED, error.detail)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            return _Outcome(LinkState.WAITING, f"{error!r}")
        return _Outcome(LinkState.CONNECTING)

    def _become(self, state: LinkState, reason: str) -> None:
        """Change state, and say so once per change rather than once per attempt."""
        if (state, reason) == (self.state, self.reason):
            return
        news = state is not self.state
        self.state, self.reason = state, reason
        if news:
            calm = state in (LinkState.OPEN, LinkState.CLOSED)
            logger.log(
                logging.INFO if calm else logging.WARNING,
                "the %s socket is %s%s", self.name, state, f": {reason}" if reason else "",
            )  # fmt: skip
            if self._changed:
                self._changed()


async def until_first(*works: Coroutine[Any, Any, None]) -> None:
    """Run these side by side until one returns or raises; stop the others, then do as that one did."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _after_close(closed: ConnectionClosed) -> _Outcome:
    close = closed.rcvd
    if close is None:
        return _Outcome(LinkState.WAITING, "the connection was lost")
    reason = f"closed with {close.code}" + (f" ({close.reason})" if close.reason else "")
    if close.code == SessionEndedError.close_code:
        return _Outcome(LinkState.ENDED, reason)
    if close.code == ReplacedError.close_code:
        return _Outcome(LinkState.REPLACED, reason)
    return _Outcome(LinkState.REFUSED if closes_for_good(close.code) else LinkState.WAITING, reason)


def _after_refusal(refused: InvalidStatus) -> _Outcome:
    response = refused.response
    error = read_error(response.status_code, response.headers, response.body)
    state = LinkState.WAITING if error.retryable else LinkState.REFUSED
    return _Outcome(state, str(error), error.retry_after)
