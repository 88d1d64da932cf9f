"""Erases sittings, and consents whose session never started, and writes a signed record of each erasure."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from proctoring.errors import ErasureBusyError, SittingOpenError, UnknownRecordError
from proctoring.records.chain import link
from proctoring.records.database import reading, writing
from proctoring.records.signing import Signer
from proctoring.records.sitting_state import OPEN
from proctoring.records.tables import (
    ConsentRow,
    DecisionRow,
    ErasureRow,
    EventRow,
    FaceEmbeddingRow,
    IncidentEvidenceRow,
    IncidentRow,
    PolicyRow,
    SessionStateRow,
    SignalCurveRow,
    SignalSegmentRow,
    SittingRow,
    WebhookDeliveryRow,
)

GENESIS = "0" * 64
"""What the first erasure is chained to, in place of the hash of one before it."""

_TABLES = (
    IncidentEvidenceRow,
    SignalSegmentRow,
    SignalCurveRow,
    FaceEmbeddingRow,
    SessionStateRow,
    DecisionRow,
    ConsentRow,
    IncidentRow,
    EventRow,
)
"""Tables with rows of a sitting, in an order that foreign keys allow."""

_ATTEMPTS = 5
"""At getting a number of its own, while other processes erase too."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """The record of an erasure: when, why, by whom and how many rows, but nothing of their content."""

    number: int
    sitting_id: str
    """Of consents whose session never started: the first one's id."""
    erased_at: datetime
    reason: str
    erased_by: str
    row_counts: dict[str, int]
    """Name of a table to the number of rows erased."""
    hash: str
    signature: str
    """Ed25519, over ``hash``."""


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """An erasure in the database, and what is left to delete from the evidence store."""

    record: Erasure
    digests: tuple[str, ...]
    """Of its evidence: ``EvidenceLedger.drop`` deletes what nothing else refers to."""
    log_emptied: bool = True
    """``False``: SQLite's write-ahead log still holds what was erased: see ``empty_log``."""


def erase(
    engine: Engine, signer: Signer, sitting_id: str, reason: str, erased_by: str, now: datetime
) -> ErasureResult:
    """Erase all records of a sitting, in one transaction.

    Raises:
        UnknownRecordError: there is no such sitting, or no longer.
        SittingOpenError: it is open; end it first.
        ErasureBusyError: other erasures are being written.
    """
    return _with_retries(engine, lambda c: _erase(c, signer, sitting_id, reason, erased_by, now))


def erase_consents(
    engine: Engine,
    signer: Signer,
    session_id: str,
    reason: str,
    erased_by: str,
    now: datetime,
    *,
    until: datetime | None = None,
) -> ErasureResult:
    """Erase consents that were given for a session id and whose session has not started.

    Args:
        engine: the database.
        signer: signs the record of the erasure.
        session_id: whose consents.
        reason: why, for the record.
        erased_by: by whom, for the record.
        now: the time of day.
        until: only those that were given before.

    Raises:
        UnknownRecordError: there are none, or no longer.
        ErasureBusyError: other erasures are being written.
    """
    until = until or now + timedelta(days=1)
    return _with_retries(
        engine, lambda c: _erase_consents(c, signer, session_id, until, reason, erased_by, now)
    )


def erasures(engine: Engine, after: int = 0, limit: int = 1000) -> tuple[Erasure, ...]:
    """The first ``limit`` erasures after a number, oldest first."""
    query = select(ErasureRow).where(ErasureRow.number > after)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(ErasureRow.number).limit(limit))
        return tuple(_erasure(row) for row in rows)


def waiting_consents(until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions of the consents that were last given before ``until`` and whose session has not started."""
    return ConsentRow.sitting_id.is_(None), ConsentRow.last_given_at < until


def erasure_text(row: Any) -> str:
    """What the hash of an erasure covers."""
    facts = [
        row.number,
        row.sitting_id,
        row.session_hash,
        row.last_seq,
        row.event_count,
        row.event_chain_hash,
        round(row.erased_at.timestamp() * 1000),
        row.reason,
        row.erased_by,
        row.row_counts,
    ]
    return json.dumps(facts)


def _erase(
    connection: Connection,
    signer: Signer,
    sitting_id: str,
    reason: str,
    erased_by: str,
    now: datetime,
) -> ErasureResult:
    sitting = connection.execute(select(SittingRow).filter_by(id=sitting_id)).first()
    if sitting is None:
        raise UnknownRecordError(f"no sitting {sitting_id[:40]} is kept")
    if sitting.state == OPEN:
        raise SittingOpenError("the session is open: end it first")
    pieces = select(IncidentEvidenceRow.digest).filter_by(sitting_id=sitting_id).distinct()
    digests = tuple(connection.execute(pieces).scalars())
    counts = {}
    for table in _TABLES:
        gone = connection.execute(delete(table).filter_by(sitting_id=sitting_id))
        counts[table.__tablename__] = gone.rowcount
    connection.execute(delete(WebhookDeliveryRow).filter_by(sitting_id=sitting_id))
    connection.execute(delete(SittingRow).filter_by(id=sitting_id))
    # A policy may name one candidate's accommodations.
    connection.execute(
        delete(PolicyRow)
        .filter_by(hash=sitting.policy_hash)
        .where(~exists().where(SittingRow.policy_hash == PolicyRow.hash))
    )
    return ErasureResult(
        _record(
            connection,
            signer,
            sitting_id=sitting_id,
            session_hash=signer.pseudonym(sitting.session_id),
            last_seq=sitting.last_seq,
            event_count=sitting.event_count,
            event_chain_hash=sitting.event_chain_hash,
            erased_at=now,
            reason=reason,
            erased_by=erased_by,
            row_counts=json.dumps(counts),
        ),
        digests,
    )


def _erase_consents(
    connection: Connection,
    signer: Signer,
    session_id: str,
    until: datetime,
    reason: str,
    erased_by: str,
    now: datetime,
) -> ErasureResult:
    conditions = (ConsentRow.session_id == session_id, *waiting_consents(until))
    first = connection.execute(select(func.min(ConsentRow.id)).where(*conditions)).scalar_one()
    if first is None:
        raise UnknownRecordError("no consent waits for a session of this name")
    gone = connection.execute(delete(ConsentRow).where(*conditions))
    return ErasureResult(
        _record(
            connection,
            signer,
            sitting_id=first,
            session_hash=signer.pseudonym(session_id),
            last_seq=0,
            event_count=0,
            event_chain_hash=GENESIS,
            erased_at=now,
            reason=reason,
            erased_by=erased_by,
            row_counts=json.dumps({ConsentRow.__tablename__: gone.rowcount}),
        ),
        (),
    )


def _record(
    connection: Connection, signer: Signer, *, erased_at: datetime, **facts: Any
) -> Erasure:
    """Insert the record of an erasure, chained to the one before."""
    before = connection.execute(
        select(ErasureRow.number, ErasureRow.hash).order_by(ErasureRow.number.desc()).limit(1)
    ).first()
    row = ErasureRow(
        number=1 if before is None else before.number + 1,
        erased_at=erased_at.replace(microsecond=erased_at.microsecond // 1000 * 1000),
        **facts,
    )
    row.hash = link(GENESIS if before is None else before.hash, erasure_text(row))
    row.signature = signer.sign(row.hash)
    columns = ErasureRow.__table__.columns
    connection.execute(insert(ErasureRow).values({c.name: getattr(row, c.name) for c in columns}))
    return _erasure(row)


def _with_retries(engine: Engine, step: Callable[[Connection], ErasureResult]) -> ErasureResult:
    """Run ``step`` in a transaction, again if another process's erasure has used its number."""
    for _ in range(_ATTEMPTS):
        try:
            with writing(engine) as connection:
                done = step(connection)
        except IntegrityError:
            continue
        return replace(done, log_emptied=empty_log(engine))
    raise ErasureBusyError("other erasures are being written; try again")


def _erasure(row: Any) -> Erasure:
    return Erasure(
        row.number,
        row.sitting_id,
        row.erased_at,
        row.reason,
        row.erased_by,
        json.loads(row.row_counts),
        row.hash,
        row.signature,
    )


def empty_log(engine: Engine) -> bool:
    """Empty SQLite's write-ahead log, which still holds what was erased.

    Returns whether that succeeded: not while another connection reads or writes for longer than
    ``SQLITE_WAIT``. Other databases have no such log.
    """
    if engine.dialect.name != "sqlite":
        return True
    try:
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101  (it is connected)
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except (sqlite3.Error, SQLAlchemyError):
        return False
    return not busy
