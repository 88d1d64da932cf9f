"""Finds open sittings whose server died, and claims one so that this process continues it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from proctoring.errors import BadPolicyError
from proctoring.incidents import Evidence, IncidentChange, IncidentState, Severity
from proctoring.judgement.policy import Policy, parse_policy
from proctoring.judgement.state import JudgementState, initial_state
from proctoring.records.database import reading, writing
from proctoring.records.entries import SittingRef
from proctoring.records.ownership import claim
from proctoring.records.server_lock import IsGone
from proctoring.records.session_states import CONTINUE_WITHIN, StateSealing, read_state
from proctoring.records.signing import Signer
from proctoring.records.sitting_state import OPEN, interrupt
from proctoring.records.tables import (
    IncidentEvidenceRow,
    IncidentRow,
    PolicyRow,
    SignalSegmentRow,
    SittingRow,
)
from proctoring.snapshots import SnapshotError

_log = logging.getLogger(__name__)

NOT_CONTINUED = "its server stopped without ending it, and it could not go on"
"""Why a sitting ended that was to be continued."""


@dataclass(frozen=True, slots=True)
class KeptSitting:
    """A claimed sitting with all that its last owner kept. Personal data."""

    sitting: SittingRef
    mirrored: bool
    seed: str
    policy: Policy
    saved_at: datetime
    media_time: float
    """Seconds: what was kept last had reached it; 0 before the first media."""
    judgement: JudgementState
    parts: Mapping[str, bytes]
    """``hot``, ``learned``, ``biometrics``, as stored; what was not kept is missing."""
    incidents: tuple[IncidentChange, ...]
    """Open ones, with their evidence, as they were last told."""
    last_alert: IncidentChange | None
    evidence_count: int
    """Stills and clips stored."""
    next_segment: int
    """Of the signals."""
    inputs_recorded: int
    """Inputs of judgement in the segments so far."""


def orphans(engine: Engine, server_id: str, is_gone: IsGone) -> tuple[str, ...]:
    """Session ids of open sittings whose owner is gone, oldest first."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(SittingRow.session_id, SittingRow.server_id)
            .filter_by(state=OPEN)
            .where(SittingRow.server_id != server_id)
            .order_by(SittingRow.started_at)
        ).all()
    gone = {owner: is_gone(owner) for owner in {row.server_id for row in rows}}
    return tuple(row.session_id for row in rows if gone[row.server_id])


def owners(engine: Engine) -> frozenset[str]:
    """Ids of the servers whose sittings are open."""
    with reading(engine) as connection:
        found = connection.execute(select(SittingRow.server_id).filter_by(state=OPEN).distinct())
        return frozenset(found.scalars())


def claim_kept(
    engine: Engine,
    signer: Signer,
    sealing: StateSealing,
    session_id: str,
    *,
    server_id: str,
    is_gone: IsGone,
    now: datetime,
) -> KeptSitting | None:
    """Claim the open sitting of a session whose owner is gone, and read what is kept of it.

    A sitting whose owner is gone and of which nothing usable is kept is ended as interrupted, with the
    reason in the record.

    Returns:
        ``None`` if the session has no open sitting, its owner lives, or it cannot be continued.

    Raises:
        SessionMovedError: another server claimed it at this moment.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be used now.
    """
    found = select(SittingRow.id, SittingRow.server_id, SittingRow.epoch)
    with reading(engine) as connection:
        sitting = connection.execute(found.filter_by(session_id=session_id, state=OPEN)).first()
    if sitting is None or sitting.server_id == server_id or not is_gone(sitting.server_id):
        return None
    with writing(engine) as connection:
        claim(connection, sitting.id, server_id, sitting.epoch)
        try:
            return _read(connection, sealing, sitting.id, now)
        except (SnapshotError, _NotKeptError, BadPolicyError) as error:
            known = isinstance(error, SnapshotError | _NotKeptError)
            why = str(error) if known else "its policy is not known here"
            _log.warning("a session is not continued: %s", why)
            interrupt(
                connection,
                sitting.id,
                signer,
                f"{NOT_CONTINUED}: {why}",
            )
            return None


class _NotKeptError(ValueError):
    """Nothing is kept of a sitting that can be continued."""


def _read(
    connection: Connection, sealing: StateSealing, sitting_id: str, now: datetime
) -> KeptSitting:
    """What is kept of a sitting.

    Raises:
        SnapshotError: the state of judgement cannot be read.
        _NotKeptError: the policy keeps nothing, or it was left for too long.
        BadPolicyError: this version does not know the policy.
    """
    row = connection.execute(select(SittingRow).filter_by(id=sitting_id)).one()
    toml = connection.execute(select(PolicyRow.toml).filter_by(hash=row.policy_hash)).scalar_one()
    policy = _policy(toml)
    if policy.records.failover == "off":
        raise _NotKeptError("its policy keeps no state")
    stored = read_state(connection, sitting_id)
    saved_at = row.started_at if stored is None else stored.saved_at
    if now - saved_at > CONTINUE_WITHIN:
        raise _NotKeptError("it was left for too long")
    parts = {} if stored is None else dict(stored.parts)
    written = parts.pop("judgement", None)
    judgement = initial_state(row.challenge_seed)
    if written is not None:
        judgement = sealing.open(sitting_id, "judgement", written, JudgementState)
    elif row.event_count:
        raise SnapshotError("nothing is kept of it")
    alerted = _incidents(connection, sitting_id, limit=1, alerted=True)
    segments = connection.execute(
        select(
            func.coalesce(func.max(SignalSegmentRow.number) + 1, 0).label("next"),
            func.coalesce(func.sum(SignalSegmentRow.input_count), 0).label("inputs"),
        ).filter_by(sitting_id=sitting_id)
    ).one()
    pieces = select(IncidentEvidenceRow.kind).filter_by(sitting_id=sitting_id)
    return KeptSitting(
        sitting=SittingRef(row.id, row.session_id, row.started_at, row.epoch),
        mirrored=row.mirrored,
        seed=row.challenge_seed,
        policy=policy,
        saved_at=saved_at,
        media_time=0.0 if stored is None else stored.media_time,
        judgement=judgement,
        parts=parts,
        incidents=_incidents(connection, sitting_id, is_open=True),
        last_alert=alerted[0] if alerted else None,
        evidence_count=len(connection.execute(pieces).all()),
        next_segment=segments.next,
        inputs_recorded=segments.inputs,
    )


@lru_cache(maxsize=64)
def _policy(toml: str) -> Policy:
    """Sessions of one exam have the same, and validating it takes most of the time of a claim."""
    return parse_policy(toml)


def _incidents(
    connection: Connection,
    sitting_id: str,
    *,
    is_open: bool = False,
    alerted: bool = False,
    limit: int | None = None,
) -> tuple[IncidentChange, ...]:
    """Incidents as they were last told, newest first."""
    query = select(IncidentRow).filter_by(sitting_id=sitting_id).order_by(IncidentRow.number.desc())
    if is_open:
        query = query.where(IncidentRow.state != IncidentState.ENDED.value)
    if alerted:
        query = query.filter_by(alerted=True)
    rows = connection.execute(query.limit(limit)).all()
    return tuple(_change(row, _evidence(connection, sitting_id, row.number)) for row in rows)


def _change(row: Any, evidence: tuple[Evidence, ...]) -> IncidentChange:
    return IncidentChange(
        number=row.number,
        kind=row.kind,
        label=row.label,
        state=IncidentState(row.state),
        severity=Severity(row.severity),
        confidence=row.confidence,
        started_at=row.start_media_time,
        duration=row.duration,
        reason=row.reason,
        alerts=row.alerted,
        evidence=evidence,
    )


def _evidence(connection: Connection, sitting_id: str, number: int) -> tuple[Evidence, ...]:
    query = select(IncidentEvidenceRow).filter_by(sitting_id=sitting_id, incident_number=number)
    return tuple(
        Evidence(
            digest=row.digest,
            kind=row.kind,
            media_type=row.media_type,
            start=row.start_media_time,
            end=row.end_media_time,
            size=row.size_bytes,
            blurred=row.blurred,
        )
        for row in connection.execute(query.order_by(IncidentEvidenceRow.start_media_time))
    )
