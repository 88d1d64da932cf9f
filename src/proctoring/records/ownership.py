"""Which server owns a sitting: one at a time, counted by the sitting's ``epoch``.

Every transaction that numbers events, changes incidents or writes signals of a sitting first reads the
sitting's epoch under a row lock (SQLite: under the lock of its only writer). ``claim`` takes a stronger
lock, so it waits for such transactions, and they for it: what a former owner still has to write is
recognised by its epoch, and dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection, func, select, update

from proctoring.errors import SessionMovedError
from proctoring.records.chain import ChainState
from proctoring.records.sitting_state import OPEN
from proctoring.records.tables import SittingRow


class Fenced(Enum):
    """In place of an entry's event: the entry was dropped, since another server owns its sitting."""

    FENCED = "fenced"


@dataclass(frozen=True, slots=True)
class OwnedSitting:
    """A sitting as its owner may write it."""

    server_id: str
    epoch: int
    chain: ChainState


def lock_names(connection: Connection, session_ids: Iterable[str]) -> None:
    """Keep other servers from beginning these sessions until the end of the transaction.

    The index decides between two that begin one; this lets them wait for each other in one order, while
    two batches that begin the same names in different orders would end in a deadlock.
    """
    if connection.dialect.name != "postgresql":
        return  # SQLite has one writer
    for session_id in sorted(session_ids):
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(session_id, 0))))


def lock_for_events(connection: Connection, sitting_ids: Iterable[str]) -> dict[str, OwnedSitting]:
    """Lock sittings until the end of the transaction, to number their events.

    Decisions, consents and signals may be written meanwhile.

    Returns:
        By id; sittings that are not stored are left out.
    """
    rows = connection.execute(
        select(
            SittingRow.id,
            SittingRow.server_id,
            SittingRow.epoch,
            SittingRow.last_seq,
            SittingRow.event_count,
            SittingRow.event_chain_hash,
        )
        .where(SittingRow.id.in_(sorted(sitting_ids)))
        .order_by(SittingRow.id)  # every transaction locks in this order
        .with_for_update(key_share=True)
    )
    return {
        row.id: OwnedSitting(
            row.server_id,
            row.epoch,
            ChainState(row.id, row.last_seq, row.event_count, row.event_chain_hash),
        )
        for row in rows
    }


def lock_owners(connection: Connection, sitting_ids: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Keep sittings from being claimed until the end of the transaction; owner and epoch by id.

    Sittings that are not stored are left out. Their events may be written meanwhile.
    """
    rows = connection.execute(
        select(SittingRow.id, SittingRow.server_id, SittingRow.epoch)
        .where(SittingRow.id.in_(sorted(sitting_ids)))
        .order_by(SittingRow.id)
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: (row.server_id, row.epoch) for row in rows}


def claim(connection: Connection, sitting_id: str, server_id: str, expected: int) -> int:
    """Make a server the owner of an open sitting, if the caller's transaction is committed.

    Waits for transactions that write something of the sitting; those that come later find the new
    epoch. What is read in the same transaction after this call is as the former owner left it.

    Args:
        connection: in a transaction that writes.
        sitting_id: the sitting.
        server_id: its new owner; may be the same as before.
        expected: the epoch that the caller found.

    Returns:
        The new epoch.

    Raises:
        SessionMovedError: the sitting is not open, or somebody else claimed it.
    """
    found = connection.execute(
        select(SittingRow.epoch, SittingRow.state).filter_by(id=sitting_id).with_for_update()
    ).first()
    if found is None or found.state != OPEN or found.epoch != expected:
        raise SessionMovedError("the session was ended, or went on at another server, just now")
    connection.execute(
        update(SittingRow).filter_by(id=sitting_id).values(epoch=expected + 1, server_id=server_id)
    )
    return expected + 1
