"""Erases what policies no longer allow to be kept."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, select

from proctoring.errors import UnknownRecordError
from proctoring.judgement.policy.storage import RecordSettings
from proctoring.records.database import reading, writing
from proctoring.records.erasure import ErasureResult, erase, erase_consents, waiting_consents
from proctoring.records.signing import Signer
from proctoring.records.sitting_state import OPEN
from proctoring.records.tables import (
    ConsentRow,
    PolicyRow,
    SignalCurveRow,
    SignalSegmentRow,
    SittingRow,
)

ERASED_BY = "retention"
"""``erased_by`` in the records of these erasures."""


def sweep(
    engine: Engine, signer: Signer, now: datetime, unbegun_days: float
) -> Iterator[ErasureResult]:
    """Erase each sitting, and the signals of each, as soon as its own policy says so.

    One sitting to a transaction; the caller deletes its evidence before the next.

    Args:
        engine: the database.
        signer: signs the records of the erasures.
        now: the time of day.
        unbegun_days: days after which a consent is erased whose session never started: it has no
            policy.
    """
    with reading(engine) as connection:
        policies = connection.execute(select(PolicyRow.hash, PolicyRow.toml)).all()
    for policy in policies:
        wanted = _record_settings(policy.toml)
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
            yield erase(engine, signer, sitting_id, reason, ERASED_BY, now)
    until = now - timedelta(days=unbegun_days)
    with reading(engine) as connection:
        named = select(ConsentRow.session_id).where(*waiting_consents(until)).distinct()
        session_ids = list(connection.execute(named).scalars())
    for session_id in session_ids:
        reason = f"kept for {unbegun_days:g} days, and no session began"
        with suppress(UnknownRecordError):  # the session has started just now
            yield erase_consents(engine, signer, session_id, reason, ERASED_BY, now, until=until)


def _record_settings(toml: str) -> RecordSettings:
    """A policy's retention, also of a policy with keys that this version does not know."""
    given = tomllib.loads(toml).get("records", {})
    known = {name: given[name] for name in RecordSettings.model_fields if name in given}
    return RecordSettings.model_validate(known)
