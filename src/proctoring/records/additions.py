"""What people add to a sitting, decisions and consents, each bound to the one before by its hash.

They come after the end too, so they are no part of the chain of events. How many there are, and the
last one's hash, are sealed anew with each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from proctoring.records.chain import link
from proctoring.records.signing import Signer
from proctoring.records.tables import ConsentRow, DecisionRow, SittingRow


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands among what was added to its sitting."""

    number: int
    """From 1."""
    hash: str
    """Of it and of the one before."""


def decision_text(row: Any) -> str:
    """What the hash of a decision covers."""
    facts = [row.id, row.sitting_id, row.incident_id, row.decision, row.reason, row.reviewer]
    return json.dumps(["decision", *facts, _moment(row.decided_at)])


def consent_text(row: Any) -> str:
    """What the hash and the signature of a consent cover: all but its sitting, which may come later."""
    facts = [row.id, row.session_id, row.granted, row.text, row.given_by]
    return json.dumps(["consent", *facts, _moment(row.given_at)])


def seal(signer: Signer, sitting_id: str, count: int, head: str) -> str:
    """Signs that so many were added to a sitting, and that this is the last one's hash."""
    return signer.sign(_sealed(sitting_id, count, head))


def extend(connection: Connection, signer: Signer, sitting_id: str, text: str) -> Place:
    """Give what is added to a sitting, in the same transaction, its place."""
    before = connection.execute(
        select(SittingRow.added, SittingRow.added_head).filter_by(id=sitting_id).with_for_update()
    ).one()
    place = Place(before.added + 1, link(before.added_head, text))
    connection.execute(
        update(SittingRow)
        .filter_by(id=sitting_id)
        .values(
            added=place.number,
            added_head=place.hash,
            added_seal=seal(signer, sitting_id, place.number, place.hash),
        )
    )
    return place


def places(head: str, texts: Iterable[str]) -> Iterator[Place]:
    """The places of the first that are added to a sitting, whose own hash is ``head``."""
    for number, text in enumerate(texts, 1):
        head = link(head, text)
        yield Place(number, head)


def problems(connection: Connection, signer: Signer, sitting: Row[Any], head: str) -> Iterator[str]:
    """What was changed or taken out of what was added to a sitting.

    Args:
        sitting: all of its row.
        head: the hash of the facts that it began with.
    """
    decisions = connection.execute(select(DecisionRow).filter_by(sitting_id=sitting.id)).all()
    consents = connection.execute(select(ConsentRow).filter_by(sitting_id=sitting.id)).all()
    rows = [
        *((row, "decision", decision_text(row)) for row in decisions),
        *((row, "consent", consent_text(row)) for row in consents),
    ]
    count = 0
    for row, what, text in sorted(rows, key=lambda found: found[0].number or 0):
        count += 1
        head = link(head, text)
        if row.hash != head:
            yield f"{what} {row.id} was changed, or one added before it is missing"
            head = row.hash or ""  # the rest may be sound
        if what == "consent" and not signer.verifies(text, row.signature):
            yield f"consent {row.id} is not as it was given"
    if (count, head) != (sitting.added, sitting.added_head):
        yield f"{count} decisions and consents are kept, of {sitting.added} that were added"
    text = _sealed(sitting.id, sitting.added, sitting.added_head)
    if not signer.verifies(text, sitting.added_seal):
        yield "the seal of its decisions and consents is not this server's"


def waiting_problems(connection: Connection, signer: Signer) -> Iterator[str]:
    """Consents whose session has not begun and that are not as they were given, by their ids."""
    for row in connection.execute(select(ConsentRow).filter_by(sitting_id=None)):
        if not signer.verifies(consent_text(row), row.signature):
            yield row.id


def _sealed(sitting_id: str, count: int, head: str) -> str:
    return json.dumps(["added", sitting_id, count, head])


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()
