"""Waits until something of a session is written. Until it is written that it began, no client may use it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import Future

from proctoring.errors import NotReadyError, SessionMovedError
from proctoring.session.media_source import SessionState
from proctoring.session.session import Session


async def until_done(futures: Iterable[Future[None]], seconds: float) -> None:
    """Wait for all, at most ``seconds``."""
    waited = {asyncio.wrap_future(future) for future in futures}
    if waited:
        await asyncio.wait(waited, timeout=seconds)


async def until_recorded(session: Session, seconds: float) -> Session:
    """Wait for at most so many seconds; returns the session, as ``check_recorded`` does."""
    if not session.recorded.done():
        recorded = asyncio.wrap_future(session.recorded)
        # asyncio logs an exception that nobody looked at, also one that comes after the client went.
        recorded.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait({recorded}, timeout=seconds)
    return check_recorded(session)


def check_recorded(session: Session) -> Session:
    """The session, if it is written that it began.

    Raises:
        NotReadyError: it is not: sockets are refused.
        SessionMovedError: another server has the session, or it was left to one meanwhile: what a socket
            then sent would be heard by nobody.
    """
    if not session.recorded.done():
        raise NotReadyError("the session cannot be recorded now; try again later")
    session.recorded.result()
    if session.state is SessionState.MOVED:
        raise SessionMovedError("the session goes on at another server")
    return session
