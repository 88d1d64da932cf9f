"""One socket of a session, reconnecting until the server ends it for good."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from proctoring.error_list import closes_for_good
from proctoring.errors import ReplacedError, SessionEndedError, SettingsError
from proctoring.livekit.address import ServerAddress
from proctoring.livekit.answers import read_error
from proctoring.livekit.moves import SERVICE_RESTART, Moves

logger = logging.getLogger("proctoring.livekit")

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
"""Seconds between attempts: doubled each time, from the first to the longest."""
_JITTER = 0.25
"""Share by which a delay varies, so that the clients of a server do not all return at once."""
_REFUSED_DELAY = 60.0
"""Seconds between attempts after an error that does not pass by itself."""
_OPEN_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 2.0
_PING_INTERVAL = 5.0
_PING_TIMEOUT = 10.0
"""Seconds."""


class SocketState(StrEnum):
    """The state of a reconnecting socket."""

    CONNECTING = "connecting"
    OPEN = "open"
    MOVING = "moving"
    """The server closed it with 1012 (it stops, or the session moves): it returns at once."""
    WAITING = "waiting"
    """Lost; the next attempt follows soon."""
    REFUSED = "refused"
    """The server answered with an error that does not pass by itself: tried once a minute."""
    ENDED = "ended"
    """The session has ended: final."""
    REPLACED = "replaced"
    """Another client feeds this session now: final, since two clients would keep replacing each other."""
    CLOSED = "closed"


def delay_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: exponential backoff with jitter."""
    full = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(failures - 1, 10))
    return full * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The state after an attempt, and why."""

    state: SocketState
    reason: str = ""
    retry_after: float = 0.0
    """Seconds that the server requests to wait."""
    moved: bool = False
    """Closed with 1012."""


class ReconnectingSocket:
    """Keeps one socket open while ``run`` runs, and passes it to ``use``.

    Args:
        name: for the log and for status.
        server: address and token.
        address: returns the socket's address; called before every connection.
        use: sends and receives on an open socket. When it returns, the socket reconnects at once.
        prepare: awaited before every connection.
    """

    def __init__(
        self,
        name: str,
        server: ServerAddress,
        address: Callable[[], str],
        use: Callable[[ClientConnection], Awaitable[None]],
        *,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.name = name
        self.state = SocketState.CONNECTING
        self.reason = ""
        """Why it is not open, in one sentence."""
        self.connections = 0
        """Connections opened so far."""
        self.opened = asyncio.Event()
        """Set by the first connection."""
        self._server = server
        self._address = address
        self._use = use
        self._prepare = prepare
        self._moves = Moves()

    async def run(self) -> None:
        """Run until cancelled, or until the session has ended or another client replaced this one."""
        failures = 0
        try:
            while True:
                opened = self.connections
                outcome = await self._connect_once()
                if outcome.moved:
                    self._moves.closed(time.monotonic())
                pause = self._moves.pause(time.monotonic())
                if pause is not None and outcome.state is SocketState.WAITING:
                    failures = 0
                    self._set_state(SocketState.MOVING, outcome.reason)
                    await asyncio.sleep(pause)
                    continue
                # A socket that is moved too often has failed, however often it could be opened.
                succeeded = self.connections > opened and not outcome.moved
                failures = 1 if succeeded else failures + 1
                if outcome.state is SocketState.CONNECTING:
                    continue
                self._set_state(outcome.state, outcome.reason)
                if outcome.state in (SocketState.ENDED, SocketState.REPLACED):
                    return
                delay = max(delay_after(failures), outcome.retry_after)
                refused = outcome.state is SocketState.REFUSED
                await asyncio.sleep(_REFUSED_DELAY if refused else delay)
        except asyncio.CancelledError:
            self._set_state(SocketState.CLOSED, "")
            raise

    async def _connect_once(self) -> _Outcome:
        try:
            if self._prepare:
                await self._prepare()
            async with connect(
                self._address(),
                additional_headers=self._server.headers,
                compression=None,  # JPEG and noise do not compress
                open_timeout=_OPEN_TIMEOUT,
                close_timeout=_CLOSE_TIMEOUT,
                ping_interval=_PING_INTERVAL,
                ping_timeout=_PING_TIMEOUT,
            ) as socket:
                self.connections += 1
                self.opened.set()
                self._moves.opened()
                self._set_state(SocketState.OPEN, "")
                try:
                    await self._use(socket)
                finally:
                    # Also when cancelled: websockets would then close with an error code.
                    await socket.close()
        except ConnectionClosed as closed:
            return _after_close(closed)
        except InvalidStatus as refused:
            return _after_refusal(refused)
        except SettingsError as error:
            return _Outcome(SocketState.REFUSED, error.detail)
        except (OSError, TimeoutError, InvalidHandshake) as error:
            return _Outcome(SocketState.WAITING, f"{error!r}")
        return _Outcome(SocketState.CONNECTING)

    def _set_state(self, state: SocketState, reason: str) -> None:
        """Change the state; logs once per change, not once per attempt."""
        if (state, reason) == (self.state, self.reason):
            return
        changed = state is not self.state
        self.state, self.reason = state, reason
        if changed:
            expected = state in (SocketState.OPEN, SocketState.MOVING, SocketState.CLOSED)
            logger.log(
                logging.INFO if expected else logging.WARNING,
                "the %s socket is %s%s", self.name, state, f": {reason}" if reason else "",
            )  # fmt: skip


async def until_first(*works: Coroutine[Any, Any, None]) -> None:
    """Run coroutines concurrently until one returns or raises; cancel the others and re-raise."""
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
        return _Outcome(SocketState.WAITING, "the connection was lost")
    reason = f"closed with {close.code}" + (f" ({close.reason})" if close.reason else "")
    if close.code == SessionEndedError.close_code:
        return _Outcome(SocketState.ENDED, reason)
    if close.code == ReplacedError.close_code:
        return _Outcome(SocketState.REPLACED, reason)
    if close.code == SERVICE_RESTART:
        return _Outcome(SocketState.WAITING, reason, moved=True)
    return _Outcome(
        SocketState.REFUSED if closes_for_good(close.code) else SocketState.WAITING, reason
    )


def _after_refusal(refused: InvalidStatus) -> _Outcome:
    response = refused.response
    error = read_error(response.status_code, response.headers, response.body)
    state = SocketState.WAITING if error.retryable else SocketState.REFUSED
    return _Outcome(state, str(error), error.retry_after)
