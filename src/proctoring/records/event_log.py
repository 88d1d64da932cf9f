"""Events as they were published, in order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from proctoring.records.tables import EventRow, SittingRow

MAX_SEQ = 2**31 - 1
"""Largest ``seq`` in the database, whose integers have 32 bits."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as listeners received it."""

    seq: int
    time: datetime
    media_time: float
    text: str
    """JSON."""
    hash: str
    """SHA-256 of the hash before it and ``text``."""


@dataclass(frozen=True, slots=True)
class StoredReplay:
    """What a late listener of a session still receives."""

    events: tuple[tuple[int, str], ...]
    """Numbers and texts, in order, without a gap."""
    missing: int
    """How many older ones were asked for and left out."""


def events_of_sitting(
    connection: Connection, sitting_id: str, after: int, limit: int
) -> tuple[StoredEvent, ...]:
    """The first ``limit`` events of a sitting after a number, in order."""
    query = (
        select(EventRow)
        .filter_by(sitting_id=sitting_id)
        .where(EventRow.seq > min(after, MAX_SEQ))
        .order_by(EventRow.seq)
        .limit(limit)
    )
    return tuple(
        StoredEvent(row.seq, row.created_at, row.media_time, row.body, row.hash)
        for row in connection.execute(query)
    )


def events_of_session(
    connection: Connection, session_id: str, after: int, limit: int
) -> StoredReplay:
    """The newest ``limit`` events of a session after a number.

    Only those of its newest sitting, and of interrupted ones that this one continues.
    """
    newest = connection.execute(
        select(SittingRow.replay_after_seq, SittingRow.last_seq)
        .filter_by(session_id=session_id)
        .order_by(SittingRow.started_at.desc())
        .limit(1)
    ).first()
    if newest is None:
        return StoredReplay((), 0)
    after = min(max(after, newest.replay_after_seq), MAX_SEQ)
    query = (
        select(EventRow.seq, EventRow.body)
        .filter_by(session_id=session_id)
        .where(EventRow.seq > after)
        .order_by(EventRow.seq.desc())
        .limit(limit)
    )
    found = tuple((row.seq, row.body) for row in connection.execute(query))[::-1]
    return StoredReplay(found, max(0, newest.last_seq - after) - len(found))
