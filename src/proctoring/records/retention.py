"""Erases what policies no longer allow to be kept."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Engine, Row, Select, delete, select
from sqlalchemy.exc import SQLAlchemyError

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

MAX_FAILURES = 5
"""Failures in a row after which the rest is left to the next sweep: the database is away."""


def sweep(
    engine: Engine,
    signer: Signer,
    now: datetime,
    unbegun_days: float,
    failed: Callable[[Exception], None],
) -> Iterator[ErasureResult]:
    """Erase each sitting, and the signals of each, as soon as its own policy says so.

    One sitting to a transaction; the caller deletes its evidence before the next. What cannot be erased
    keeps nothing else: it is passed over, until ``MAX_FAILURES`` in a row.

    Args:
        engine: the database.
        signer: signs the records of the erasures.
        now: the time of day.
        unbegun_days: days after which a consent is erased whose session never started: it has no
            policy.
        failed: called with each error.
    """
    in_row = 0
    for step in _steps(engine, signer, now, unbegun_days, failed):
        try:
            done = step()
        except UnknownRecordError:  # erased, or its session started, just now
            continue
        except Exception as error:  # noqa: BLE001  # the others can be erased
            failed(error)
            in_row += 1
            if in_row >= MAX_FAILURES:
                return
            continue
        in_row = 0
        if done is not None:
            yield done


def _steps(
    engine: Engine,
    signer: Signer,
    now: datetime,
    unbegun_days: float,
    failed: Callable[[Exception], None],
) -> Iterator[Callable[[], ErasureResult | None]]:
    """What is to be done, each as a function. A query that fails yields nothing."""
    queried = partial(_queried, engine, failed)
    for policy in queried(select(PolicyRow.hash, PolicyRow.toml)):
        try:
            wanted = _record_settings(policy.toml)
        except Exception as error:  # noqa: BLE001  # other policies can be read
            failed(error)
            continue
        ended = select(SittingRow.id).where(
            SittingRow.policy_hash == policy.hash, SittingRow.state != OPEN
        )
        signals = ended.where(
            SittingRow.ended_at < now - timedelta(days=wanted.signal_retention_days)
        )
        yield partial(_erase_signals, engine, signals)
        old = ended.where(SittingRow.ended_at < now - timedelta(days=wanted.retention_days))
        reason = f"kept for {wanted.retention_days:g} days, as its policy says"
        for row in queried(old):
            yield partial(erase, engine, signer, row.id, reason, ERASED_BY, now)
    until = now - timedelta(days=unbegun_days)
    reason = f"kept for {unbegun_days:g} days, and no session began"
    for row in queried(select(ConsentRow.session_id).where(*waiting_consents(until)).distinct()):
        yield partial(
            erase_consents, engine, signer, row.session_id, reason, ERASED_BY, now, until=until
        )


def _queried(
    engine: Engine, failed: Callable[[Exception], None], query: Select[Any, *tuple[Any, ...]]
) -> Sequence[Row[Any, *tuple[Any, ...]]]:
    try:
        with reading(engine) as connection:
            return connection.execute(query).all()
    except SQLAlchemyError as error:
        failed(error)
        return ()


def _erase_signals(engine: Engine, sittings: Select[str]) -> None:
    with writing(engine) as connection:
        for table in (SignalSegmentRow, SignalCurveRow):
            connection.execute(delete(table).where(table.sitting_id.in_(sittings)))


def _record_settings(toml: str) -> RecordSettings:
    """A policy's retention, also of a policy with keys that this version does not know."""
    given = tomllib.loads(toml).get("records", {})
    known = {name: given[name] for name in RecordSettings.model_fields if name in given}
    return RecordSettings.model_validate(known)
