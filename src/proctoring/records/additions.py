"""The chain of a sitting's additions: decisions and consents, each with the hash of the one before.

They may come after the sitting's end, so they are not part of the chain of events, whose signature
must stay. Their count and last hash are signed anew with each.
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
class AdditionLink:
    """The place of a decision or consent in its sitting's chain; named as the columns are."""

    addition_number: int
    """From 1."""
    hash: str


def decision_text(row: Any) -> str:
    """What the hash of a decision covers."""
    facts = [row.id, row.sitting_id, row.incident_id, row.decision, row.reason, row.reviewer]
    return json.dumps(["decision", *facts, _moment(row.decided_at)])


def consent_text(row: Any) -> str:
    """What the hash of a consent covers: all that was known when it was first given."""
    facts = [row.id, row.session_id, row.granted, row.text, row.given_by]
    return json.dumps(["consent", *facts, _moment(row.given_at)])


def signed_consent_text(row: Any) -> str:
    """What the signature of a consent covers: also how often it was given, which may change."""
    return json.dumps([consent_text(row), row.times, _moment(row.last_given_at)])


def sign_additions(signer: Signer, sitting_id: str, count: int, head: str) -> str:
    """The signature of a sitting's number of additions and the last one's hash."""
    return signer.sign(_signed_text(sitting_id, count, head))


def append_addition(
    connection: Connection, signer: Signer, sitting_id: str, text: str
) -> AdditionLink:
    """Extend a sitting's chain by an addition that is inserted in the same transaction."""
    before = connection.execute(
        select(SittingRow.addition_count, SittingRow.addition_chain_hash)
        .filter_by(id=sitting_id)
        .with_for_update()
    ).one()
    count = before.addition_count + 1
    head = link(before.addition_chain_hash, text)
    connection.execute(
        update(SittingRow)
        .filter_by(id=sitting_id)
        .values(
            addition_count=count,
            addition_chain_hash=head,
            addition_chain_signature=sign_additions(signer, sitting_id, count, head),
        )
    )
    return AdditionLink(count, head)


def chain_additions(head: str, texts: Iterable[str]) -> Iterator[AdditionLink]:
    """The links of a sitting's first additions; ``head``: the hash of the facts it started with."""
    for number, text in enumerate(texts, 1):
        head = link(head, text)
        yield AdditionLink(number, head)


def addition_problems(
    connection: Connection, signer: Signer, sitting: Row[Any], head: str
) -> Iterator[str]:
    """Which of a sitting's additions were changed or deleted.

    Args:
        connection: to the database.
        signer: the server's key.
        sitting: its whole row.
        head: the hash of the facts it started with.
    """
    decisions = connection.execute(select(DecisionRow).filter_by(sitting_id=sitting.id)).all()
    consents = connection.execute(select(ConsentRow).filter_by(sitting_id=sitting.id)).all()
    rows = [
        *((row, "decision", decision_text(row)) for row in decisions),
        *((row, "consent", consent_text(row)) for row in consents),
    ]
    count = 0
    for row, what, text in sorted(rows, key=lambda found: found[0].addition_number or 0):
        count += 1
        head = link(head, text)
        if row.hash != head:
            yield f"{what} {row.id} was changed, or one added before it is missing"
            head = row.hash or ""  # the rest may be intact
        if what == "consent" and not signer.verifies(signed_consent_text(row), row.signature):
            yield f"consent {row.id} is not as it was given"
    if (count, head) != (sitting.addition_count, sitting.addition_chain_hash):
        yield f"{count} decisions and consents are kept, of {sitting.addition_count} that were added"
    text = _signed_text(sitting.id, sitting.addition_count, sitting.addition_chain_hash)
    if not signer.verifies(text, sitting.addition_chain_signature):
        yield "the seal of its decisions and consents is not this server's"


def changed_waiting_consents(connection: Connection, signer: Signer) -> Iterator[str]:
    """Ids of changed consents among those whose sitting has not started."""
    for row in connection.execute(select(ConsentRow).filter_by(sitting_id=None)):
        if not signer.verifies(signed_consent_text(row), row.signature):
            yield row.id


def _signed_text(sitting_id: str, count: int, head: str) -> str:
    return json.dumps(["added", sitting_id, count, head])


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).isoformat()
