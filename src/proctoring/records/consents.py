"""Records candidates' consents, given or withdrawn: each once, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, or_, select, update
from ulid import ULID

from proctoring.errors import LimitReachedError, TooManyError
from proctoring.records.additions import append_addition, consent_text, signed_consent_text
from proctoring.records.database import writing
from proctoring.records.signing import Signer
from proctoring.records.sitting_detail import Consent, consent_of
from proctoring.records.sitting_state import OPEN
from proctoring.records.tables import ConsentRow, SittingRow

MAX_CONSENTS = 8
"""Different consents of one sitting, and as many withdrawals: versions of the text, times the persons
who agree. With texts of 20,000 characters the limit keeps a sitting's record below half a megabyte."""

MAX_WAITING = 10_000
"""Consents that may wait for sessions to start, of all session ids that one prefix covers."""


def consent(
    engine: Engine,
    signer: Signer,
    session_id: str,
    granted: bool,
    text: str,
    given_by: str,
    now: datetime,
    *,
    prefixes: Sequence[str] = (),
) -> Consent:
    """Record a consent, or its withdrawal: with the open sitting of the session id, or with the next one.

    The same one again (text, person, given or withdrawn) is counted, and its last time is kept.

    Args:
        engine: the database.
        signer: signs the consent.
        session_id: whose.
        granted: ``False``: it is withdrawn.
        text: what the candidate was shown.
        given_by: who agreed.
        now: the time of day.
        prefixes: of the session ids that the client may name, where it may name many.

    Raises:
        LimitReachedError: the session has ``MAX_CONSENTS`` different ones already.
        TooManyError: ``MAX_WAITING`` consents wait under these prefixes.
    """
    with writing(engine) as connection:
        running = select(SittingRow.id).filter_by(session_id=session_id, state=OPEN)
        newest = running.order_by(SittingRow.started_at.desc()).limit(1)
        sitting_id = connection.execute(newest).scalar()
        own = {"session_id": session_id, "sitting_id": sitting_id, "granted": granted}
        before = connection.execute(select(ConsentRow).filter_by(**own)).all()
        for row in before:
            if (row.text, row.given_by) == (text, given_by):
                return _count_again(connection, signer, row, now)
        if len(before) >= MAX_CONSENTS:
            raise LimitReachedError(
                f"the session has {MAX_CONSENTS} different consents already, none of these words"
            )
        if sitting_id is None and prefixes:
            _check_waiting(connection, prefixes)
        values: dict[str, Any] = {
            "id": str(ULID.from_datetime(now)),
            **own,
            "text": text,
            "given_by": given_by,
            "given_at": now,
            "times": 1,
            "last_given_at": now,
        }
        if sitting_id is not None:
            facts = consent_text(ConsentRow(**values))
            values |= asdict(append_addition(connection, signer, sitting_id, facts))
        values["signature"] = signer.sign(signed_consent_text(ConsentRow(**values)))
        connection.execute(insert(ConsentRow).values(values))
        return consent_of(ConsentRow(**values))


def _count_again(connection: Connection, signer: Signer, row: Any, now: datetime) -> Consent:
    again = ConsentRow(**{**row._asdict(), "times": row.times + 1, "last_given_at": now})
    changed = update(ConsentRow).filter_by(id=row.id)
    connection.execute(
        changed.values(
            times=again.times,
            last_given_at=now,
            signature=signer.sign(signed_consent_text(again)),
        )
    )
    return consent_of(again)


def _check_waiting(connection: Connection, prefixes: Sequence[str]) -> None:
    # Not LIKE, which ignores case in SQLite.
    covered = [func.substr(ConsentRow.session_id, 1, len(prefix)) == prefix for prefix in prefixes]
    waiting = select(func.count()).where(ConsentRow.sitting_id.is_(None), or_(*covered))
    if connection.execute(waiting).scalar_one() >= MAX_WAITING:
        raise TooManyError(f"{MAX_WAITING} consents wait for their sessions to start")
