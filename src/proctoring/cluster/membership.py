"""Renews this process's lease on a thread of its own, and keeps what that shows of the other servers."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from proctoring.cluster import servers
from proctoring.cluster.lease import ORPHAN_AFTER, PERIOD, RETRY_PERIOD, TTL, Lease
from proctoring.cluster.servers import Peer, ServerState, View
from proctoring.records.archive import DEAD_AFTER
from proctoring.records.database import reading, writing

_log = logging.getLogger(__name__)

RENEWAL_TIMEOUT = 2.0
"""Seconds after which a renewal that does not return is broken off: its connection leads nowhere."""


@dataclass(frozen=True, slots=True)
class _Renewal:
    """One that runs now."""

    since: float
    connection: Connection | None = None


class Membership:
    """This process among the servers of one database.

    Args:
        engine: for renewals alone: they must not wait for other transactions of this process.
        shared: for everything else.
        server_id: this process.
        address: where the others reach it.
        clock: seconds.
    """

    def __init__(
        self,
        engine: Engine,
        shared: Engine,
        server_id: str,
        address: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.server_id = server_id
        self.address = address
        self.state = ServerState.STARTING
        """Written with the next renewal."""
        self.lease = Lease(TTL)
        self.view: View | None = None
        """What the last renewal found; ``None`` before the first."""
        self._engine = engine
        self._shared = shared
        self._clock = clock
        self._renewal: _Renewal | None = None
        self._refused: dict[str, float] = {}
        """When the address of a server refused a connection."""
        self._stopping = Event()
        self._thread: Thread | None = None
        self._in_trouble = False

    # On a thread of its own.

    def start(self, on_view: Callable[[View], None]) -> None:
        """Renew from now on; ``on_view`` is called with what each renewal found, on that thread."""
        self._thread = Thread(target=self._renew_always, args=(on_view,), name="lease", daemon=True)
        self._thread.start()

    def _renew_always(self, on_view: Callable[[View], None]) -> None:
        while not self._stopping.is_set():
            started = self._clock()
            view = self.renew()
            if view is not None:
                on_view(view)
            period = RETRY_PERIOD if view is None else PERIOD
            self._stopping.wait(max(0.05, period - (self._clock() - started)))

    def renew(self) -> View | None:
        """Renew the lease once; ``None`` if that failed."""
        started = self._clock()
        self._renewal = _Renewal(started)
        try:
            with writing(self._engine) as connection:
                self._renewal = _Renewal(started, connection)
                view = servers.renew(
                    connection,
                    self.server_id,
                    self.address,
                    self.state,
                    ttl=TTL,
                    orphan_after=ORPHAN_AFTER,
                )
        except SQLAlchemyError as error:
            if not self._in_trouble:
                _log.warning("the lease could not be renewed: %s", type(error).__name__)
            self._in_trouble = True
            return None
        finally:
            self._renewal = None
        if self._in_trouble:
            _log.warning("the lease is renewed again")
            self._in_trouble = False
        self.lease.renewed(started)
        self.view = view
        return view

    # From any thread.

    def break_off(self, now: float) -> None:
        """Break off a renewal that takes too long. To be called a few times a second."""
        renewal = self._renewal
        if renewal is None or renewal.connection is None or now - renewal.since < RENEWAL_TIMEOUT:
            return
        with contextlib.suppress(Exception):  # it ends at this moment
            driver = renewal.connection.connection.driver_connection
            assert driver is not None  # noqa: S101  (only a closed one has none)
            with socket.socket(fileno=os.dup(driver.pgconn.socket)) as its:
                its.shutdown(socket.SHUT_RDWR)

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The other servers, as the last renewal found them."""
        return () if self.view is None else self.view.peers

    def refused(self, server_id: str) -> None:
        """The address of a server refused a connection: its process has ended."""
        self._refused[server_id] = self._clock()

    def has_refused(self, server_id: str) -> bool:
        """Whether it did so within the time of a lease; by then that is gone if it is true."""
        return self._clock() - self._refused.get(server_id, float("-inf")) < TTL

    def is_gone(self, server_id: str) -> bool:
        """Whether this process may take over what this server owns. Blocks.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database cannot be used now.
        """
        takes_over = self.state in (ServerState.STARTING, ServerState.SERVING)
        if not takes_over or not self.lease.may_take_over(self._clock()):
            return False
        if self.has_refused(server_id):
            return True
        with reading(self._shared) as connection:
            return not servers.is_alive(connection, server_id, DEAD_AFTER)

    def stop(self) -> None:
        """End the thread and give up the lease: what is left here may be taken over at once. Blocks."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(2 * RENEWAL_TIMEOUT)
        with contextlib.suppress(SQLAlchemyError), writing(self._engine) as connection:
            servers.leave(connection, self.server_id)
        self._engine.dispose()
