"""Adds reviewers' decisions to records."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Engine, func, insert, select
from ulid import ULID

from proctoring.errors import LimitReachedError, UnknownRecordError
from proctoring.records.additions import append_addition, decision_text
from proctoring.records.database import writing
from proctoring.records.signing import Signer
from proctoring.records.sitting_detail import Decision
from proctoring.records.tables import DecisionRow, IncidentRow

DecisionKind = Literal["confirm", "dismiss", "comment"]
"""A comment decides nothing: the last of the other two counts."""

MAX_DECISIONS = 200
"""Decisions and comments on one incident."""


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
        LimitReachedError: it has ``MAX_DECISIONS`` already.
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
        given = select(func.count()).select_from(DecisionRow)
        given = given.filter_by(sitting_id=sitting_id, incident_id=incident_id)
        if connection.execute(given).scalar_one() >= MAX_DECISIONS:
            raise LimitReachedError(
                f"an incident has at most {MAX_DECISIONS} decisions and comments"
            )
        text = decision_text(DecisionRow(sitting_id=sitting_id, **row))
        place = append_addition(connection, signer, sitting_id, text)
        values = {"sitting_id": sitting_id, **row, **asdict(place)}
        connection.execute(insert(DecisionRow).values(values))
    return Decision(**row)


def _ulid(now: datetime) -> str:
    return str(ULID.from_datetime(now))
