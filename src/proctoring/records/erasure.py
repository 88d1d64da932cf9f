"""Erases sittings, and consents that came to none, and keeps a signed record that it was done."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, func, insert, select
from sqlalchemy.exc import IntegrityError

from proctoring.errors import ErasureBusyError, SittingOpenError, UnknownRecordError
from proctoring.judgement.policy.storage import RecordSettings
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
    SignalCurveRow,
    SignalSegmentRow,
    SittingRow,
    WebhookDeliveryRow,
)

GENESIS = "0" * 64
"""What the first erasure is bound to."""

_TABLES = (
    IncidentEvidenceRow,
    SignalSegmentRow,
    SignalCurveRow,
    FaceEmbeddingRow,
    DecisionRow,
    ConsentRow,
    IncidentRow,
    EventRow,
)
"""Everything that belongs to a sitting."""

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Erasure:
    """That a sitting was erased. Says when, why, by whom and how much; nothing of what it was."""

    number: int
    sitting_id: str
    """Of consents whose session never began: the first one's id."""
    erased_at: datetime
    reason: str
    erased_by: str
    row_counts: dict[str, int]
    """Table to how many rows went."""
    hash: str
    signature: str
    """Ed25519, over ``hash``."""


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure, and what is left to do."""

    record: Erasure
    digests: tuple[str, ...]
    """Pieces of evidence that belonged to it: to be deleted, where nothing else refers to them."""


def erase(
    engine: Engine, signer: Signer, sitting_id: str, reason: str, erased_by: str, now: datetime
) -> Erased:
    """Erase everything that is kept of a sitting, in one transaction.

    Raises:
        UnknownRecordError: there is no such sitting (any more).
        SittingOpenError: it is open; end it first.
        ErasureBusyError: other erasures are being written.
    """
    return _in_turn(engine, lambda c: _erase(c, signer, sitting_id, reason, erased_by, now))


def erase_consents(
    engine: Engine,
    signer: Signer,
    session_id: str,
    reason: str,
    erased_by: str,
    now: datetime,
    *,
    until: datetime | None = None,
) -> Erased:
    """Erase consents that were given under a name and whose session has not begun.

    Args:
        until: only those that were given before.

    Raises:
        UnknownRecordError: there are none (any more).
    """
    until = until or now + timedelta(days=1)
    return _in_turn(
        engine, lambda c: _erase_consents(c, signer, session_id, until, reason, erased_by, now)
    )


def erasures(engine: Engine) -> tuple[Erasure, ...]:
    """All erasures, oldest first."""
    with reading(engine) as connection:
        rows = connection.execute(select(ErasureRow).order_by(ErasureRow.number))
        return tuple(_shown(row) for row in rows)


def sweep(engine: Engine, signer: Signer, now: datetime, unbegun_days: float) -> Iterator[Erased]:
    """Erase what its own policy lets be kept no longer; one sitting at a time.

    Args:
        unbegun_days: for which consents are kept whose session never begins: no policy says.
    """
    with reading(engine) as connection:
        policies = connection.execute(select(PolicyRow.hash, PolicyRow.toml)).all()
    for policy in policies:
        wanted = _kept_for(policy.toml)
        ended = select(SittingRow.id).where(
            SittingRow.policy_hash == policy.hash, SittingRow.state != OPEN
        )
        signals = ended.where(
            SittingRow.ended_at < now - timedelta(days=wanted.signal_retention_days)
        )
        with writing(engine) as connection:
            for table in (SignalSegmentRow, SignalCurveRow):
                connection.execute(delete(table).where(table.sitting_id.in_(signals)))
        old = ended.where(SittingRow.ended_at < now - timedelta(days=wanted.retention_days))
        with reading(engine) as connection:
            due = list(connection.execute(old).scalars())
        for sitting_id in due:
            reason = f"kept for {wanted.retention_days:g} days, as its policy says"
            yield erase(engine, signer, sitting_id, reason, "retention", now)
    until = now - timedelta(days=unbegun_days)
    with reading(engine) as connection:
        named = select(ConsentRow.session_id).where(*_unbegun(until)).distinct()
        names = list(connection.execute(named).scalars())
    for session_id in names:
        reason = f"kept for {unbegun_days:g} days, and no session began"
        with suppress(UnknownRecordError):  # it has begun just now
            yield erase_consents(engine, signer, session_id, reason, "retention", now, until=until)


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
) -> Erased:
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
    # A policy may tell of one candidate (accommodations).
    connection.execute(
        delete(PolicyRow)
        .filter_by(hash=sitting.policy_hash)
        .where(~exists().where(SittingRow.policy_hash == PolicyRow.hash))
    )
    return Erased(
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
) -> Erased:
    waiting = (ConsentRow.session_id == session_id, *_unbegun(until))
    first = connection.execute(select(func.min(ConsentRow.id)).where(*waiting)).scalar_one()
    if first is None:
        raise UnknownRecordError("no consent waits for a session of this name")
    gone = connection.execute(delete(ConsentRow).where(*waiting))
    return Erased(
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


def _unbegun(until: datetime) -> tuple[ColumnElement[bool], ...]:
    """What holds of consents whose session has not begun, given before a moment."""
    return ConsentRow.sitting_id.is_(None), ConsentRow.given_at < until


def _record(
    connection: Connection, signer: Signer, *, erased_at: datetime, **facts: Any
) -> Erasure:
    """Write down that something was erased, bound to the erasure before."""
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
    return _shown(row)


def _in_turn(engine: Engine, step: Callable[[Connection], Erased]) -> Erased:
    """In a transaction of its own, again where another process's erasure took the number."""
    for _ in range(_ATTEMPTS):
        try:
            with writing(engine) as connection:
                done = step(connection)
            _truncate_log(engine)
        except IntegrityError:
            continue
        return done
    raise ErasureBusyError("other erasures are being written; try again")


def _shown(row: Any) -> Erasure:
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


def _kept_for(toml: str) -> RecordSettings:
    """A policy's retention; of one that an older version of this program wrote too."""
    given = tomllib.loads(toml).get("records", {})
    known = {name: given[name] for name in RecordSettings.model_fields if name in given}
    return RecordSettings.model_validate(known)


def _truncate_log(engine: Engine) -> None:
    """Let nothing of it stay in SQLite's write-ahead log."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101  (it is connected)
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
