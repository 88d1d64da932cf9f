"""Which server serves a request for a session."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from proctoring.cluster.membership import Membership
from proctoring.cluster.place import Elsewhere
from proctoring.cluster.servers import Owner, ServerState, ended_within, find_owner
from proctoring.errors import NotReadyError
from proctoring.records.database import reading

LOOKUP_TIMEOUT = 3.0
"""Seconds to wait for the database to say who owns a session."""

LOOKUPS = 8
"""Made at the same time."""

T = TypeVar("T")

REMEMBERED = 10_000
"""Sessions whose owner is remembered, for when the database is away."""


class Placement:
    """For the event loop.

    Args:
        engine: the database.
        membership: this server's.
        is_here: whether a session is open, or closing, in this process.
        now: seconds, the membership's clock.
    """

    def __init__(
        self,
        engine: Engine,
        membership: Membership,
        *,
        is_here: Callable[[str], bool],
        now: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._membership = membership
        self._is_here = is_here
        self._now = now
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="placement")
        self._known: OrderedDict[str, Elsewhere] = OrderedDict()

    async def of(self, session_id: str) -> Elsewhere | None:
        """Where a session is; ``None``: here, or nowhere, or its owner is gone and this server may go on
        with it.

        Raises:
            NotReadyError: that cannot be known, or done, now.
        """
        if self._is_here(session_id):
            return None
        if self._membership.state is ServerState.SUSPENDED:
            raise NotReadyError("the server is cut from the database; others go on")
        if not self._membership.lease.is_held(self._now()):
            return self._remembered(session_id)
        owner = await self._look_up(session_id)
        found = None if owner is None else self._judge(owner)
        self._remember(session_id, found)
        return found

    def _judge(self, owner: Owner) -> Elsewhere | None:
        member = self._membership
        if owner.server_id == member.server_id:
            return None
        if owner.is_alive and owner.address and not member.has_refused(owner.server_id):
            return Elsewhere(owner.server_id, owner.address)
        if not member.lease.may_take_over(self._now()):
            raise NotReadyError("the session's server is gone; another goes on in some seconds")
        return None

    async def has_ended(self, session_id: str, seconds: float) -> bool:
        """Whether the last sitting of a session ended, anywhere, at most so many seconds ago.

        Raises:
            NotReadyError: that cannot be known now.
        """
        return await self._ask(lambda connection: ended_within(connection, session_id, seconds))

    async def _look_up(self, session_id: str) -> Owner | None:
        return await self._ask(lambda connection: find_owner(connection, session_id))

    async def _ask(self, question: Callable[[Connection], T]) -> T:
        def ask() -> T:
            with reading(self._engine) as connection:
                return question(connection)

        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT):
                return await loop.run_in_executor(self._threads, ask)
        except (SQLAlchemyError, TimeoutError) as error:
            raise NotReadyError("it cannot be found out where the session is; try again") from error

    def _remember(self, session_id: str, found: Elsewhere | None) -> None:
        self._known.pop(session_id, None)
        if found is not None:
            self._known[session_id] = found
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def _remembered(self, session_id: str) -> Elsewhere:
        found = self._known.get(session_id)
        if found is None:
            raise NotReadyError("the database is away: it cannot be known where the session is")
        return found

    def close(self) -> None:
        """End the threads; lookups that still wait end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
