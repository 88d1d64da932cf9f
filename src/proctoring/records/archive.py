"""The database of records, opened once by each process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential
from ulid import ULID

from proctoring.errors import SettingsError
from proctoring.records.database import (
    TRANSIENT,
    connect,
    parse_url,
    reading,
    sqlite_url,
    without_password,
    writing,
)
from proctoring.records.evidence.sealing import Keys
from proctoring.records.migrate import migrate
from proctoring.records.reader import RecordReader
from proctoring.records.server_lock import IsGone
from proctoring.records.session_states import CONTINUE_WITHIN, StateSealing
from proctoring.records.signing import Signer, load_signer
from proctoring.records.sitting_state import OPEN, interrupt
from proctoring.records.tables import ServerRow, SessionStateRow, SittingRow
from proctoring.records.writer import RecordWriter

FILE = "records.sqlite3"
KEY = "signing.key"
"""Names in the data folder."""

STATE_KEY = "proctoring session states"
"""Purpose of the key that is derived from the signing key."""

HEARTBEAT = 10.0
"""Seconds between two heartbeats of a server in the database."""

DEAD_AFTER = 120.0
"""Seconds without a heartbeat after which a server is considered dead and its sittings over: twelve
heartbeats, so that a database that is away for a minute ends no sitting."""

DATABASE_START_TIMEOUT = 30.0
"""Seconds to wait, when this server starts, for a database server that does not answer yet."""


@dataclass(frozen=True, slots=True)
class Archive:
    """An open database with this version's tables."""

    engine: Engine
    signer: Signer
    server_id: str
    """This process, among those that write into the database."""
    reader: RecordReader
    sealing: StateSealing
    """Encrypts what is kept of open sittings."""

    def writer(self, webhooks: tuple[str, ...] = ()) -> RecordWriter:
        """A writer of this process's sittings, which queues messages for these endpoints."""
        return RecordWriter(self.engine, self.signer, self.server_id, self.sealing, webhooks)

    def heartbeat(self, now: datetime, is_gone: IsGone | None = None) -> None:
        """Record that this process lives, and end the sittings of processes that died.

        Args:
            now: the time of day.
            is_gone: asked about each server that has been silent for too long by this one's clock;
                ``None``: nothing of a server of a cluster is ended, whose lease counts.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database cannot be used now.
        """
        with writing(self.engine) as connection:
            living = update(ServerRow).filter_by(id=self.server_id).values(heartbeat_at=now)
            if not connection.execute(living).rowcount:
                new = {"id": self.server_id, "started_at": now, "heartbeat_at": now}
                connection.execute(insert(ServerRow).values(new))
            dead = [
                row.id
                for row in connection.execute(select(ServerRow))
                if (now - row.heartbeat_at).total_seconds() > DEAD_AFTER
                and (not row.address if is_gone is None else is_gone(row.id))
            ]
            for server_id in dead:
                if not self._end_left(connection, server_id, now):
                    connection.execute(delete(ServerRow).filter_by(id=server_id))

    def _end_left(self, connection: Connection, server_id: str, now: datetime) -> bool:
        """End the sittings of a dead server that nobody continues. Returns whether others are left."""
        rows = connection.execute(
            select(SittingRow.id, SessionStateRow.saved_at)
            .outerjoin(SessionStateRow, SessionStateRow.sitting_id == SittingRow.id)
            .where(SittingRow.server_id == server_id, SittingRow.state == OPEN)
        ).all()
        left = False
        for row in rows:
            if row.saved_at is not None and now - row.saved_at <= CONTINUE_WITHIN:
                left = True
            else:
                interrupt(connection, row.id, self.signer)
        return left

    def is_silent(self, server_id: str, now: datetime) -> bool:
        """Whether a server has had no heartbeat for ``DEAD_AFTER`` seconds.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database cannot be used now.
        """
        last = select(ServerRow.heartbeat_at).filter_by(id=server_id)
        with reading(self.engine) as connection:
            heartbeat_at = connection.execute(last).scalar()
        return heartbeat_at is None or (now - heartbeat_at).total_seconds() > DEAD_AFTER

    def close(self, *, clean: bool) -> bool:
        """Close the database. Returns whether it is known that no sitting of this process is open.

        Args:
            clean: everything is written, so this process need not be found dead by another one.
        """
        nothing_left = False
        if clean:
            try:
                with writing(self.engine) as connection:
                    left = select(SittingRow.id).filter_by(server_id=self.server_id, state=OPEN)
                    nothing_left = connection.execute(left.limit(1)).first() is None
                    if nothing_left:
                        connection.execute(delete(ServerRow).filter_by(id=self.server_id))
                    # Otherwise another process will find this one dead and end its open sittings.
            except SQLAlchemyError:
                nothing_left = False  # another process will find this one dead
        self.engine.dispose()
        return nothing_left


def database_url(database: str | None, data_folder: Path) -> URL:
    """The address of the database of records: SQLite in the data folder if none is configured.

    Raises:
        SettingsError: ``database`` is not an address of a supported one.
    """
    return sqlite_url(data_folder / FILE) if database is None else parse_url(database)


def open_archive(
    database: str | None,
    data_folder: Path,
    now: datetime,
    *,
    keys: Keys | None = None,
    clustered: bool = False,
    start_timeout: float = DATABASE_START_TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
) -> Archive:
    """Open the database of records; create or upgrade it if necessary.

    Args:
        database: its address; ``None``: SQLite in ``data_folder``.
        data_folder: holds the signing key.
        now: the time of day.
        keys: the operator's. They encrypt what is kept of open sittings; where there are none, a key
            that is derived from the signing key does.
        start_timeout: seconds to wait for a database server that does not answer yet.
        sleep: waits between two attempts.

    Raises:
        SettingsError: it cannot be used; the message names it, without its password.
    """
    url = database_url(database, data_folder)
    engine = connect(url, clustered=clustered)
    signer = load_signer(data_folder / KEY)
    attempts = Retrying(
        retry=retry_if_exception_type(TRANSIENT),
        stop=stop_after_delay(start_timeout if url.get_backend_name() != "sqlite" else 0),
        wait=wait_exponential(multiplier=0.1, max=2),
        sleep=sleep,
        reraise=True,
    )
    sealing = StateSealing((keys or Keys()).followed_by(signer.derived_key(STATE_KEY)))
    archive = Archive(engine, signer, str(ULID()), RecordReader(engine), sealing)
    try:
        attempts(migrate, engine)
        archive.heartbeat(now)
    except SettingsError:
        engine.dispose()
        raise
    except OperationalError as error:
        engine.dispose()
        reason = str(error.orig).strip().splitlines()[0]
        raise SettingsError(f"database {without_password(url)}: {reason}") from error
    except SQLAlchemyError as error:
        engine.dispose()
        raise SettingsError(f"database {without_password(url)}: {error}") from error
    return archive
