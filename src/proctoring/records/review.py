"""Adds reviewers' decisions and candidates' consents to records."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Engine, insert, select
from ulid import ULID

from proctoring.errors import UnknownRecordError
from proctoring.records.additions import append_addition, consent_text, decision_text
from proctoring.records.database import writing
from proctoring.records.signing import Signer
from proctoring.records.sitting_detail import Consent, Decision
from proctoring.records.sitting_state import OPEN
from proctoring.records.tables import ConsentRow, DecisionRow, IncidentRow, SittingRow

DecisionKind = Literal["confirm", "dismiss", "comment"]
"""A comment decides nothing: the last of the other two counts."""


def decide(
    engine: Engine,
    signer: Signer,
    sitting_id: str,
    incident_id: str,
    decision: DecisionKind,
    reason: str,
    reviewer: str,
    now: datetime,
) -> Decision:
    """Record a reviewer's decision on an incident. Earlier decisions stay; the last one counts.

    Raises:
        UnknownRecordError: there is no such incident.
    """
    row: dict[str, Any] = {
        "id": _ulid(now),
        "incident_id": incident_id,
        "decision": decision,
        "reason": reason,
        "reviewer": reviewer,
        "decided_at": now,
    }
    with writing(engine) as connection:
        known = select(IncidentRow.id).filter_by(sitting_id=sitting_id, id=incident_id)
        if connection.execute(known).first() is None:
            raise UnknownRecordError(f"no incident {incident_id[:40]} is kept of this sitting")
        text = decision_text(DecisionRow(sitting_id=sitting_id, **row))
        place = append_addition(connection, signer, sitting_id, text)
        values = {"sitting_id": sitting_id, **row, **asdict(place)}
        connection.execute(insert(DecisionRow).values(values))
    return Decision(**row)


def consent(
    engine: Engine,
    signer: Signer,
    session_id: str,
    granted: bool,
    text: str,
    given_by: str,
    now: datetime,
) -> Consent:
    """Record a candidate's consent, given or withdrawn: with the open sitting of the session id, or
    with the next one."""
    row: dict[str, Any] = {
        "id": _ulid(now),
        "granted": granted,
        "text": text,
        "given_by": given_by,
        "given_at": now,
    }
    facts = consent_text(ConsentRow(session_id=session_id, **row))
    with writing(engine) as connection:
        running = select(SittingRow.id).filter_by(session_id=session_id, state=OPEN)
        newest = running.order_by(SittingRow.started_at.desc()).limit(1)
        sitting_id = connection.execute(newest).scalar()
        values = {"session_id": session_id, "sitting_id": sitting_id, **row}
        if sitting_id is not None:
            values |= asdict(append_addition(connection, signer, sitting_id, facts))
        connection.execute(insert(ConsentRow).values(signature=signer.sign(facts), **values))
    return Consent(**row)


def _ulid(now: datetime) -> str:
    return str(ULID.from_datetime(now))
