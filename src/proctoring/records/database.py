"""Connections and transactions: SQLite, which needs no set-up, or PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, NoSuchModuleError, OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random

from proctoring.errors import SettingsError

SQLITE_WAIT = 10.0
"""Seconds to wait while another connection writes to the same file."""

CLUSTER_LIMITS = {
    # A server that is stopped within a transaction holds locks: the database ends it.
    "idle_in_transaction_session_timeout": 3000,
    "lock_timeout": 3000,
    "statement_timeout": 60_000,
}
"""Milliseconds, of every connection of a server of a cluster: as its lease, so that one which hangs does
not keep another from taking over."""

CLUSTER_TCP = {
    "tcp_user_timeout": 3000,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
}
"""libpq's: milliseconds without acknowledgement, and seconds of silence, after which a connection is gone."""

TRANSIENT = (OperationalError, InterfaceError)
"""Errors after which the same statement may work later: no connection, disk full, locked."""


def sqlite_url(file: Path) -> URL:
    """The address of a database in a file."""
    return URL.create("sqlite", database=str(file))


def parse_url(text: str) -> URL:
    """The address of a database as an operator writes it.

    Raises:
        SettingsError: it is not an address of a supported database.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise SettingsError(
            "database: not a URL such as sqlite:////folder/records.sqlite3 "
            "or postgresql+psycopg://user:password@host/name"
        ) from None
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingsError(f"database: {url.drivername} is neither sqlite nor postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise SettingsError("database: SQLite in memory keeps nothing; give a file")
    return url


def without_password(url: URL) -> str:
    """The address without its password, for messages."""
    return url.render_as_string(hide_password=True)


def connect(url: URL, *, clustered: bool = False) -> Engine:
    """An engine, which connects when it is used.

    SQLite uses a write-ahead log, so that readers do not wait for writers; it is flushed to disk at
    every commit (``synchronous=FULL``), so that commits survive a loss of power. Deleted rows are
    overwritten (``secure_delete``).

    Args:
        url: from ``parse_url``.
        clustered: limits of time apply to every connection, so that a server that hangs does not keep
            others from going on with its sessions.

    Raises:
        SettingsError: its folder cannot be made, or its driver is not installed.
    """
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite":
        assert url.database is not None  # noqa: S101  (``parse_url`` checks it)
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"database folder {folder}: {error.strerror or error}") from error
        options = {"connect_args": {"timeout": SQLITE_WAIT}}
    else:
        given: dict[str, Any] = {"connect_timeout": 5}
        if clustered:
            limits = " ".join(f"-c {name}={value}" for name, value in CLUSTER_LIMITS.items())
            given |= {"options": limits} | CLUSTER_TCP
        options = {"connect_args": given, "pool_pre_ping": True, "pool_size": 5}
    try:
        # Errors must not quote parameters, which may be transcripts or face embeddings.
        engine = create_engine(url, hide_parameters=True, **options)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise SettingsError(
            f"database: {without_password(url)} needs: pip install 'proctoring-ai[postgresql]'"
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # ``_begin`` alone begins transactions
    # SQLite does not wait while another process changes the mode of a new database.
    changing = Retrying(
        retry=retry_if_exception_type(sqlite3.OperationalError),
        stop=stop_after_delay(SQLITE_WAIT),
        wait=wait_random(0.01, 0.1),
        reraise=True,
    )
    changing(lambda: connection.execute("PRAGMA journal_mode=WAL").close())
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A writing transaction locks at once: SQLite does not wait when a reading one is upgraded.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: on disk when the block ends, undone if it raises."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, and sees one state of the database."""
    options = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection
