"""This server's part in a cluster: what it does about its own sessions and about those of others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from proctoring.cluster import servers
from proctoring.cluster.forwards import Forwards
from proctoring.cluster.isolation import Isolation
from proctoring.cluster.membership import Membership
from proctoring.cluster.middleware import SESSIONS_PATH, Forwarding, PeerRequests
from proctoring.cluster.peers import Peers
from proctoring.cluster.placement import Placement
from proctoring.cluster.servers import ServerState, View
from proctoring.cluster.signature import Signature
from proctoring.errors import NotReadyError, ProctoringError
from proctoring.records.database import connect, reading, writing
from proctoring.server.error_answers import answer_error
from proctoring.server.recorded import until_done
from proctoring.server.schemas import SessionAnswer
from proctoring.session.media_source import SessionState
from proctoring.session.registry import Registry
from proctoring.session.session import Session
from proctoring.settings import Settings
from proctoring.storage.storage import Storage

_log = logging.getLogger(__name__)

STEP_PERIOD = 0.25
"""Seconds between two looks at the lease."""

HAND_OVER_TIMEOUT = 2.0
"""Seconds for the state of sessions to be taken, and then to be written."""

FLUSH_PERIOD = 0.005
"""Seconds between two looks at whether it is."""

STRAY_AFTER = 10.0
"""Seconds for which this server owns a sitting without running it, after which it gives it up: beginning,
continuing and ending one take less."""

HANDED_OVER = "the server stops: the session goes on at another"
CUT_OFF = "the server is cut from the database: the session goes on at another"

_ANSWER = TypeAdapter(list[SessionAnswer])


class Clustering:
    """For the event loop.

    Args:
        settings: with a cluster's address and secret.
        storage: with a database.
        sessions: those of this process; ``None`` while models are loaded.
        continue_: goes on with a session whose owner is gone, if it still is.
        now: seconds, monotonic.
    """

    def __init__(
        self,
        settings: Settings,
        storage: Storage,
        *,
        sessions: Callable[[], Registry | None],
        continue_: Callable[[str], Awaitable[object]],
        now: Callable[[], float],
    ) -> None:
        assert settings.cluster_address is not None  # noqa: S101  (asked by the caller)
        archive = storage.records
        assert settings.cluster_secret is not None  # noqa: S101  (the settings check it)
        self.signature = Signature(settings.cluster_secret.get_secret_value().encode())
        self.membership = Membership(
            connect(archive.engine.url, clustered=True),
            archive.engine,
            archive.server_id,
            settings.cluster_address,
            clock=now,
        )
        self.placement = Placement(archive.engine, self.membership, is_here=self._is_here, now=now)
        self.forwards = Forwards(settings.max_connections // 2)
        self.peers = Peers(self.signature)
        self._isolation = Isolation()
        self._engine = archive.engine
        self._storage = storage
        self._sessions = sessions
        self._continue = continue_
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stray: dict[tuple[str, int], float] = {}
        """Sittings and epochs that this server owns and does not run, and since when that is seen."""
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def wrap(self, app: FastAPI, live: Callable[[], list[Any]]) -> None:
        """Have requests for sessions of other servers forwarded; ``live``: the open ones, as JSON."""
        app.add_middleware(
            Forwarding,
            membership=self.membership,
            placement=self.placement,
            signature=self.signature,
            answer_error=answer_error,
            live=live,
            forwards=self.forwards,
            now=self._now,
        )

    def recognise_peers(self, app: FastAPI) -> None:
        """Have requests of other servers recognised; to be called after all other middleware was added."""
        app.add_middleware(PeerRequests, signature=self.signature)

    async def sessions_elsewhere(self) -> tuple[list[SessionAnswer], int]:
        """The open sessions of the other servers, and how many servers did not answer, or in a way that this
        version does not read."""
        living = [peer for peer in self.membership.peers if peer.is_alive]
        told, silent = [], 0
        for answer in await self.peers.ask(living, SESSIONS_PATH):
            try:
                told += _ANSWER.validate_python(answer)
            except ValidationError:
                silent += 1
        return told, silent

    @property
    def is_suspended(self) -> bool:
        """Whether it has let go of its sessions, since it was cut from the database."""
        return self.membership.state is ServerState.SUSPENDED

    def start(self) -> None:
        """Renew the lease from now on, and act on what is seen."""
        loop = self._loop = asyncio.get_running_loop()

        def on_view(view: View) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server has stopped
                loop.call_soon_threadsafe(self._on_view, view)

        self.membership.start(on_view)
        self._spawn(self._watch())

    def serve(self) -> None:
        """Models are loaded: sessions may begin."""
        if self.membership.state is ServerState.STARTING:
            self.membership.state = ServerState.SERVING

    def drain(self) -> None:
        """Others are told that this server hands over its sessions."""
        self.membership.state = ServerState.DRAINING

    async def hand_over(self, leaving: Sequence[Session]) -> None:
        """Give sessions up to other servers: close their sockets, write all of them, disown them."""
        sessions = self._sessions()
        assert sessions is not None  # noqa: S101  (there are some)
        self.drain()
        taken = [sessions.leave(session, HANDED_OVER, self._now()) for session in leaving]
        moved = [session for session in leaving if session.state is SessionState.MOVED]
        # The others end: their last events and their end are this server's to write.
        ended = [session.done for session in leaving if session not in moved]
        waited = [future for future in taken if future is not None]
        await until_done([*waited, *ended], HAND_OVER_TIMEOUT)
        outbox, end = self._storage.outbox, self._now() + HAND_OVER_TIMEOUT
        outbox.write_saved()
        while outbox.waiting and self._now() < end:  # noqa: ASYNC110  (it is filled by threads)
            await asyncio.sleep(FLUSH_PERIOD)
        with contextlib.suppress(SQLAlchemyError):  # they are free when the lease is over
            await asyncio.to_thread(self._disown, [session.sitting_id for session in moved])
        for session in moved:
            sessions.finish_leaving(session, HANDED_OVER, self._now())

    def _disown(self, sitting_ids: list[str]) -> None:
        for sitting_id in sitting_ids:
            self._storage.write_observations(sitting_id)
        with writing(self._engine) as connection:
            servers.disown(connection, self.membership.server_id, sitting_ids)

    async def stop(self) -> None:
        """Give up the lease."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self.membership.stop)
        self.placement.close()
        await self.peers.close()

    def _is_here(self, session_id: str) -> bool:
        sessions = self._sessions()
        return sessions is not None and sessions.holds(session_id)

    # After each renewal.

    def _on_view(self, view: View) -> None:
        if self.membership.lease.may_take_over(self._now()):  # else all leases may be over
            self.forwards.cut_others({peer.id for peer in view.peers if peer.is_alive})
        sessions = self._sessions()
        if sessions is None:
            return
        unsure = {
            session.sitting_id: session.epoch
            for session in sessions
            if view.owned.get(session.sitting_id) != session.epoch
        }
        if unsure:  # they may have begun or ended just now
            self._spawn(self._fence(unsure))
        self._give_up_stray(view, sessions)
        if view.orphans and (self._looking is None or self._looking.done()):
            self._looking = self._spawn(self._adopt(view.orphans))

    async def _fence(self, unsure: dict[str, int]) -> None:
        """Let go of those that another server owns."""

        def look() -> dict[str, int]:
            with reading(self._engine) as connection:
                return servers.lost(connection, self.membership.server_id, unsure)

        with contextlib.suppress(SQLAlchemyError):  # the next renewal shows it again
            lost = await asyncio.to_thread(look)
            sessions = self._sessions()
            for sitting_id, epoch in lost.items():
                if sessions is not None:
                    sessions.fence(sitting_id, epoch, self._now())

    def _give_up_stray(self, view: View, sessions: Registry) -> None:
        """Give up sittings that nothing here runs: an answer of the database was lost when one was claimed, or
        this lease was renewed just when it was given up. Nobody else could go on with them."""
        now, stray = self._now(), view.owned.items() - sessions.sittings
        self._stray = {one: self._stray.get(one, now) for one in stray}
        old = [of for (of, _), since in self._stray.items() if now - since >= STRAY_AFTER]
        if old:
            _log.warning("%d sittings that are not run here are given up", len(old))
            self._spawn(self._give_up(old))

    async def _give_up(self, sitting_ids: list[str]) -> None:
        with contextlib.suppress(SQLAlchemyError):  # the next renewal shows them again
            await asyncio.to_thread(self._disown, sitting_ids)

    async def _adopt(self, orphans: tuple[str, ...]) -> None:
        """Go on with sessions whose candidates do not come back, so that this is judged and told."""
        for session_id in orphans:
            if not self.membership.lease.may_take_over(self._now()):
                return
            try:
                await self._continue(session_id)
            except ProctoringError:
                continue  # another server was first, or it can be tried again
            except Exception:  # noqa: BLE001  # the others must be tried
                _log.exception("a session could not be adopted")

    # Without the database.

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(STEP_PERIOD)
            try:
                await self._step()
            except Exception:  # noqa: BLE001  # the next look may succeed
                _log.exception("the lease could not be looked at")

    async def _step(self) -> None:
        member = self.membership
        member.break_off(self._now())
        if member.view is None:
            return
        if member.lease.is_held(self._now()):
            self._isolation.held()
            if self.is_suspended:
                _log.warning("the database answers again: sessions may begin")
                member.state = ServerState.SERVING
        elif not self.is_suspended:
            asked_at = self._now()
            ages = await self.peers.ages(member.peers)
            lost = not member.lease.is_held(self._now())
            if self._isolation.is_certain(asked_at, ages) and lost:
                self.suspend()

    def suspend(self) -> None:
        """Let go of all sessions: others, which still reach the database, go on with them."""
        _log.error("cut from the database, which others reach: its sessions go on there")
        self.membership.state = ServerState.SUSPENDED
        sessions = self._sessions()
        for session in list(sessions or ()):
            assert sessions is not None  # noqa: S101  (there is one)
            sessions.release(session, CUT_OFF, self._now())

    def check(self) -> None:
        """Return if sessions may begin.

        Raises:
            NotReadyError: the server is suspended.
        """
        if self.is_suspended:
            raise NotReadyError("the server is cut from the database; others go on")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
