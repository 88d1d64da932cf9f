"""Continues the sessions that a server left which died or was stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from proctoring.errors import NotReadyError, SessionMovedError
from proctoring.server.recorded import until_recorded
from proctoring.session.registry import Registry
from proctoring.session.session import Session
from proctoring.storage.storage import Storage

_log = logging.getLogger(__name__)

RECORDED_TIMEOUT = 5.0
"""Seconds to wait until it is written that a session continues."""

RETRY_PERIOD = 10.0
"""Seconds between two searches for sessions whose server is gone."""


class LeftSessions:
    """For the event loop.

    Args:
        storage: where they are kept.
        sessions: of this process; raises ``NotReadyError`` while none can begin.
        now: seconds.
    """

    def __init__(
        self, storage: Storage, sessions: Callable[[], Registry], now: Callable[[], float]
    ) -> None:
        self._storage = storage
        self._sessions = sessions
        self._now = now
        self._running: dict[str, asyncio.Task[Session | None]] = {}

    async def find(self, session_id: str) -> Session | None:
        """The open session of this id, continued if a server left it; ``None`` if there is none. Requests
        that come together get the same, once it is recorded that it continues.

        Raises:
            NotReadyError: it cannot be known now.
            SessionMovedError: it goes on at another server.
        """
        task = self._running.get(session_id)
        if task is None:
            session = self._sessions().find(session_id)
            if session is not None or not self._storage.keeps_states:
                return session
            task = asyncio.create_task(self._continue(session_id))
            self._running[session_id] = task
            task.add_done_callback(lambda _: self._running.pop(session_id, None))
        return await asyncio.shield(task)  # a client that goes away leaves it to the others

    async def _continue(self, session_id: str) -> Session | None:
        try:
            found = await asyncio.to_thread(self._storage.claim, session_id)
        except SQLAlchemyError as error:
            raise NotReadyError("the session's records cannot be read now; try again") from error
        if found is None:
            return self._sessions().find(session_id)
        try:
            session = self._sessions().continue_(found, self._now())
        except NotReadyError:
            raise  # the server stops: the next one continues it
        except Exception as error:
            _log.exception("a session could not be continued")
            await asyncio.to_thread(self._storage.abandon, found)
            raise NotReadyError("the session could not be continued; connect again") from error

        return await until_recorded(session, RECORDED_TIMEOUT)

    async def adopt(self) -> None:
        """Continue all, one after the other, also those whose candidates do not come back: what is judged
        of that is told, and they end as any session does. Never returns."""
        first = True
        while True:
            try:
                left = await asyncio.to_thread(self._storage.left_sessions, first=first)
                for session_id in left:
                    await self.find(session_id)
                if left:
                    _log.info("%d sessions that another process left continue here", len(left))
                first = False
            except (NotReadyError, SessionMovedError, SQLAlchemyError) as error:
                _log.warning("a session was not continued: %s", type(error).__name__)
            except Exception:  # noqa: BLE001  # the next attempt may succeed
                _log.exception("sessions could not be continued")
            await asyncio.sleep(RETRY_PERIOD)
