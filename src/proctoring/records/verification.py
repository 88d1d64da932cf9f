"""Checks that records are as they were written: hashes, numbers, signatures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from proctoring.errors import UnknownRecordError
from proctoring.records.additions import addition_problems, changed_waiting_consents
from proctoring.records.chain import initial_head, link
from proctoring.records.database import reading
from proctoring.records.erasure import GENESIS, erasure_text
from proctoring.records.signing import Signer
from proctoring.records.sitting_state import OPEN, sealed_text
from proctoring.records.tables import ErasureRow, EventRow, SittingRow


@dataclass(frozen=True, slots=True)
class IntegrityProblem:
    """A record that was changed or deleted."""

    where: str
    """``sitting 01K...``, ``consent 01K...`` or ``erasure 3``."""
    what: str


def verify(
    engine: Engine, signer: Signer, sitting_id: str | None = None
) -> Iterator[IntegrityProblem]:
    """Check one sitting, or all sittings and erasures.

    Two manipulations are not found: records written anew from the start by someone who holds the
    signing key, and decisions deleted from the end by someone who also restores the signature that
    was stored before them.

    Raises:
        UnknownRecordError: there is no such sitting.
    """
    query = select(SittingRow).order_by(SittingRow.id)
    if sitting_id is not None:
        query = query.filter_by(id=sitting_id)
    with reading(engine) as connection:
        sittings = connection.execute(query).all()
        if sitting_id is not None and not sittings:
            raise UnknownRecordError(f"no sitting {sitting_id[:40]} is kept")
        for sitting in sittings:
            for what in _sitting(connection, signer, sitting):
                yield IntegrityProblem(f"sitting {sitting.id}", what)
        if sitting_id is None:
            for consent in changed_waiting_consents(connection, signer):
                yield IntegrityProblem(f"consent {consent}", "it is not as it was given")
            yield from _erasures(connection, signer)


def _sitting(connection: Connection, signer: Signer, sitting: Row[Any]) -> Iterator[str]:
    first = initial_head(sitting.id, sitting.session_id, sitting.started_at, sitting.policy_hash)
    head, length = first, 0
    events = select(EventRow).filter_by(sitting_id=sitting.id).order_by(EventRow.seq)
    before = None
    for event in connection.execute(events):
        head = link(head, event.body)
        length += 1
        if before is not None and event.seq != before + 1:
            yield f"events between {before} and {event.seq} are missing"
        if event.hash != head:
            yield f"event {event.seq} was changed, or one before it is missing"
            head = event.hash  # the rest may be intact
        before = event.seq
    if (length, head) != (sitting.event_count, sitting.event_chain_hash):
        yield f"{length} events are kept, of {sitting.event_count} that were written"
    if sitting.state != OPEN:
        text = sealed_text(sitting.id, sitting.event_count, sitting.event_chain_hash)
        if not signer.verifies(text, sitting.event_chain_signature or ""):
            yield "the seal of its end is not this server's"
    yield from addition_problems(connection, signer, sitting, first)


def _erasures(connection: Connection, signer: Signer) -> Iterator[IntegrityProblem]:
    head, number = GENESIS, 0
    for row in connection.execute(select(ErasureRow).order_by(ErasureRow.number)):
        number += 1
        where = f"erasure {row.number}"
        if row.number != number:
            yield IntegrityProblem(where, f"erasures before it are missing, from {number} on")
            number = row.number
        head = link(head, erasure_text(row))
        if row.hash != head:
            yield IntegrityProblem(where, "it was changed, or one before it is missing")
            head = row.hash
        if not signer.verifies(row.hash, row.signature):
            yield IntegrityProblem(where, "its signature is not this server's")
