"""Reads what was written: lists of sittings, one sitting, its events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from proctoring.errors import UnknownRecordError
from proctoring.judgement.inputs import JudgementInput
from proctoring.records.database import reading
from proctoring.records.evidence.path import evidence_path
from proctoring.records.packing import unpack
from proctoring.records.plot import Plot, draw
from proctoring.records.tables import (
    ConsentRow,
    CurveRow,
    DecisionRow,
    EventRow,
    EvidenceRow,
    IncidentRow,
    PolicyRow,
    SignalRow,
    SittingRow,
)

_PIECES = 50
"""Pieces of signals read at once."""

MAX_SEQ = 2**31 - 1
"""Numbers are 32 bits wide in the database."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a reviewer said of an incident."""

    id: str
    incident_id: str
    decision: str
    reason: str
    who: str
    time: datetime


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """A still or a clip of an incident."""

    digest: str
    """SHA-256 of the content."""
    kind: str
    """``still`` or ``clip``."""
    media_type: str
    start: float
    """Media time of the first picture, in seconds."""
    end: float
    size: int
    """Bytes."""
    blurred: bool
    """Whether bystanders were made unrecognisable."""
    url: str
    """Where it can be fetched."""


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident as its last change left it, with what reviewers said."""

    id: str
    number: int
    kind: str
    label: str
    severity: str
    state: str
    """``started`` or ``updated`` (it runs), ``ended``, ``interrupted`` (its server died)."""
    alerted: bool
    confidence: float
    started_at: float
    """Media time in seconds."""
    duration: float
    reason: str
    first_seq: int
    last_seq: int
    decision: str | None
    """The last of ``confirm`` and ``dismiss``."""
    decisions: tuple[Decision, ...]
    evidence: tuple[StoredEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """That a candidate agreed, or took it back."""

    id: str
    granted: bool
    text: str
    who: str
    time: datetime


@dataclass(frozen=True, slots=True)
class SittingSummary:
    """One session under its name, without what happened in it."""

    id: str
    session_id: str
    began_at: datetime
    ended_at: datetime | None
    state: str
    """``open``, ``ended``, ``interrupted``."""
    end_reason: str | None
    mirrored: bool
    policy: str
    policy_hash: str
    media_time: float | None
    last_seq: int
    events: int
    incidents: int
    alerts: int
    violations: int
    undecided: int
    """Incidents that alerted and were neither confirmed nor dismissed."""
    signals_lost: int
    """Observations that were judged and could not be kept."""
    seal: str | None
    """The server's signature of the number and the last of its events; ``None`` while it is open."""


@dataclass(frozen=True, slots=True)
class SittingPage:
    """Some sittings, newest first."""

    sittings: tuple[SittingSummary, ...]
    next: str | None
    """Give this as ``before`` to get those that follow; ``None`` when there are none."""


@dataclass(frozen=True, slots=True)
class SittingDetail:
    """One sitting and what happened in it."""

    sitting: SittingSummary
    incidents: tuple[IncidentRecord, ...]
    consents: tuple[Consent, ...]
    policy_toml: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """What listeners were told, as it went out."""

    seq: int
    time: datetime
    media_time: float
    text: str
    hash: str


@dataclass(frozen=True, slots=True)
class SittingFilter:
    """Which sittings to list."""

    session_id: str | None = None
    """Exactly this name."""
    names: tuple[str, ...] = ("*",)
    """One of these names, or of these beginnings of names with ``*``."""
    state: str | None = None
    kind: str | None = None
    """With an incident of this kind."""
    undecided: bool = False
    """With an alert that nobody decided on."""
    since: datetime | None = None
    until: datetime | None = None
    """Begun in this time."""
    before: str | None = None
    """Those after this one in the list: ``SittingPage.next``."""
    limit: int = 50


class RecordReader:
    """Safe from many threads at once; each call may wait for the database.

    Args:
        engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sittings(self, wanted: SittingFilter) -> SittingPage:
        """Sittings, newest first."""
        query = select(SittingRow.id)
        if wanted.session_id is not None:
            query = query.where(SittingRow.session_id == wanted.session_id)
        if "*" not in wanted.names:
            query = query.where(or_(false(), *map(_is_called, wanted.names)))
        if wanted.state is not None:
            query = query.where(SittingRow.state == wanted.state)
        if wanted.since is not None:
            query = query.where(SittingRow.began_at >= wanted.since)
        if wanted.until is not None:
            query = query.where(SittingRow.began_at < wanted.until)
        if wanted.before is not None:
            query = query.where(SittingRow.id < wanted.before)
        if wanted.kind is not None:
            query = query.where(
                select(IncidentRow.number)
                .where(IncidentRow.sitting_id == SittingRow.id, IncidentRow.kind == wanted.kind)
                .exists()
            )
        if wanted.undecided:
            query = query.where(
                select(IncidentRow.number)
                .where(IncidentRow.sitting_id == SittingRow.id, _undecided())
                .exists()
            )
        query = query.order_by(SittingRow.id.desc()).limit(wanted.limit + 1)
        with reading(self._engine) as connection:
            ids = list(connection.execute(query).scalars())
            page = ids[: wanted.limit]
            found = {sitting.id: sitting for sitting in _sittings(connection, page)}
        more = page[-1] if len(ids) > wanted.limit else None
        return SittingPage(tuple(found[id_] for id_ in page), more)

    def session_of(self, sitting_id: str) -> str | None:
        """The name of a sitting's session; ``None`` when there is no such sitting."""
        query = select(SittingRow.session_id).filter_by(id=sitting_id)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one_or_none()

    def sitting(self, sitting_id: str) -> SittingDetail:
        """One sitting.

        Raises:
            UnknownRecordError: there is none.
        """
        with reading(self._engine) as connection:
            (sitting,) = _sittings(connection, [sitting_id]) or _unknown(sitting_id)
            decisions = [
                Decision(row.id, row.incident_id, row.decision, row.reason, row.who, row.time)
                for row in connection.execute(
                    select(DecisionRow)
                    .filter_by(sitting_id=sitting_id)
                    .order_by(DecisionRow.number)
                )
            ]
            evidence = _evidence(connection, sitting_id)
            incidents = connection.execute(
                select(IncidentRow).filter_by(sitting_id=sitting_id).order_by(IncidentRow.number)
            )
            consents = connection.execute(
                select(ConsentRow).filter_by(sitting_id=sitting_id).order_by(ConsentRow.number)
            )
            toml = connection.execute(
                select(PolicyRow.toml).filter_by(hash=sitting.policy_hash)
            ).scalar_one()
            return SittingDetail(
                sitting,
                tuple(_incident(row, decisions, evidence.get(row.number, ())) for row in incidents),
                tuple(Consent(c.id, c.granted, c.text, c.who, c.time) for c in consents),
                toml,
            )

    def events(self, sitting_id: str, after: int = 0, limit: int = 1000) -> tuple[StoredEvent, ...]:
        """What listeners of a sitting were told after a number, in order.

        Raises:
            UnknownRecordError: there is no such sitting.
        """
        query = (
            select(EventRow)
            .filter_by(sitting_id=sitting_id)
            .where(EventRow.seq > min(after, MAX_SEQ))
            .order_by(EventRow.seq)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            if not connection.execute(select(SittingRow.id).filter_by(id=sitting_id)).first():
                _unknown(sitting_id)
            return tuple(
                StoredEvent(row.seq, row.time, row.media_time, row.text, row.hash)
                for row in connection.execute(query)
            )

    def inputs(self, sitting_id: str) -> Iterator[JudgementInput]:
        """All inputs of judgement in a sitting, in the order in which they were applied.

        Raises:
            ValueError: a newer version of this program kept it.
        """
        number = -1
        while True:
            query = (
                select(SignalRow.number, SignalRow.data)
                .filter_by(sitting_id=sitting_id)
                .where(SignalRow.number > number)
                .order_by(SignalRow.number)
                .limit(_PIECES)
            )
            with reading(self._engine) as connection:
                pieces = connection.execute(query).all()
            for piece in pieces:
                number = piece.number
                yield from unpack(piece.data)
            if len(pieces) < _PIECES:
                return

    def seed(self, sitting_id: str) -> str:
        """What a sitting's challenges were drawn from: for judging again, for nobody's eyes."""
        with reading(self._engine) as connection:
            return connection.execute(select(SittingRow.seed).filter_by(id=sitting_id)).scalar_one()

    def plot(self, sitting_id: str, start: float | None, end: float | None, points: int) -> Plot:
        """A sitting's signals as curves over a stretch of media time; of all of it where not given.

        Raises:
            UnknownRecordError: there is no such sitting.
        """
        own = CurveRow.sitting_id == sitting_id
        with reading(self._engine) as connection:
            if not connection.execute(select(SittingRow.id).filter_by(id=sitting_id)).first():
                _unknown(sitting_id)
            first, last = connection.execute(
                select(func.min(CurveRow.start), func.max(CurveRow.end)).where(own)
            ).one()
            start = (first or 0.0) if start is None else start
            end = (last or 0.0) if end is None else end
            query = select(CurveRow.data).where(own)
            query = query.where(CurveRow.start <= end, CurveRow.end >= start)
            summaries = connection.execute(query.order_by(CurveRow.number)).scalars().all()
        return draw(summaries, start, max(start, end), points)

    def replay(
        self, session_id: str, after: int, limit: int
    ) -> tuple[tuple[tuple[int, str], ...], int]:
        """Numbers and texts of the events of a name after a number, and how many are missing.

        The newest ``limit`` of them. Only those of its last sitting, and of those before it that a dying server cut short.
        """
        with reading(self._engine) as connection:
            newest = connection.execute(
                select(SittingRow.floor_seq, SittingRow.last_seq)
                .filter_by(session_id=session_id)
                .order_by(SittingRow.began_at.desc())
                .limit(1)
            ).first()
            if newest is None:
                return (), 0
            after = min(max(after, newest.floor_seq), MAX_SEQ)
            query = (
                select(EventRow.seq, EventRow.text)
                .filter_by(session_id=session_id)
                .where(EventRow.seq > after)
                .order_by(EventRow.seq.desc())
                .limit(limit)
            )
            found = tuple((row.seq, row.text) for row in connection.execute(query))[::-1]
            return found, max(0, newest.last_seq - after) - len(found)


def _sittings(connection: Connection, ids: list[str]) -> list[SittingSummary]:
    rows = connection.execute(
        select(SittingRow, PolicyRow.name.label("policy"))
        .join(PolicyRow, PolicyRow.hash == SittingRow.policy_hash)
        .where(SittingRow.id.in_(ids))
    ).all()
    counts = {
        row.sitting_id: row
        for row in connection.execute(
            select(
                IncidentRow.sitting_id,
                func.count().label("incidents"),
                func.count().filter(IncidentRow.alerted).label("alerts"),
                func.count()
                .filter(and_(IncidentRow.alerted, IncidentRow.severity == "violation"))
                .label("violations"),
            )
            .where(IncidentRow.sitting_id.in_(ids))
            .group_by(IncidentRow.sitting_id)
        )
    }
    # From the side of the decisions, of which there are few: not once for each incident.
    decided: dict[str, int] = {
        row.sitting_id: row.alerts
        for row in connection.execute(
            select(
                DecisionRow.sitting_id,
                func.count(DecisionRow.incident_id.distinct()).label("alerts"),
            )
            .join(IncidentRow, IncidentRow.id == DecisionRow.incident_id)
            .where(DecisionRow.sitting_id.in_(ids), IncidentRow.alerted, _decides(DecisionRow))
            .group_by(DecisionRow.sitting_id)
        )
    }
    found = []
    for row in rows:
        count = counts.get(row.id)
        found.append(
            SittingSummary(
                id=row.id,
                session_id=row.session_id,
                began_at=row.began_at,
                ended_at=row.ended_at,
                state=row.state,
                end_reason=row.end_reason,
                mirrored=row.mirrored,
                policy=row.policy,
                policy_hash=row.policy_hash,
                media_time=row.media_time,
                last_seq=row.last_seq,
                events=row.chain_length,
                incidents=0 if count is None else count.incidents,
                alerts=0 if count is None else count.alerts,
                violations=0 if count is None else count.violations,
                undecided=0 if count is None else count.alerts - decided.get(row.id, 0),
                signals_lost=row.signals_lost,
                seal=row.seal,
            )
        )
    return found


def _undecided() -> Any:
    decided = aliased(DecisionRow)
    return and_(
        IncidentRow.alerted,
        ~select(decided.id)
        .where(
            decided.sitting_id == IncidentRow.sitting_id,
            decided.incident_id == IncidentRow.id,
            _decides(decided),
        )
        .exists(),
    )


def _decides(row: type[DecisionRow]) -> ColumnElement[bool]:
    return or_(row.decision == "confirm", row.decision == "dismiss")


def _evidence(connection: Connection, sitting_id: str) -> dict[int, tuple[StoredEvidence, ...]]:
    """By the incidents' numbers."""
    rows = connection.execute(
        select(EvidenceRow)
        .filter_by(sitting_id=sitting_id)
        .order_by(EvidenceRow.start, EvidenceRow.kind)
    )
    found: dict[int, tuple[StoredEvidence, ...]] = {}
    for row in rows:
        piece = StoredEvidence(
            digest=row.digest,
            kind=row.kind,
            media_type=row.media_type,
            start=round(row.start, 3),
            end=round(row.end, 3),
            size=row.size,
            blurred=row.blurred,
            url=evidence_path(sitting_id, row.digest),
        )
        found[row.number] = (*found.get(row.number, ()), piece)
    return found


def _incident(
    row: Row[Any], decisions: list[Decision], evidence: tuple[StoredEvidence, ...]
) -> IncidentRecord:
    own = tuple(found for found in decisions if found.incident_id == row.id)
    final = [found.decision for found in own if found.decision != "comment"]
    return IncidentRecord(
        id=row.id,
        number=row.number,
        kind=row.kind,
        label=row.label,
        severity=row.severity,
        state=row.state,
        alerted=row.alerted,
        confidence=round(row.confidence, 3),
        started_at=round(row.started_at, 3),
        duration=round(row.duration, 3),
        reason=row.reason,
        first_seq=row.first_seq,
        last_seq=row.last_seq,
        decision=final[-1] if final else None,
        decisions=own,
        evidence=evidence,
    )


def _unknown(sitting_id: str) -> Any:
    raise UnknownRecordError(f"no sitting {sitting_id[:40]} is kept")


def _is_called(name: str) -> ColumnElement[bool]:
    if not name.endswith("*"):
        return SittingRow.session_id == name
    # Not LIKE, which in SQLite takes capitals for small letters.
    return func.substr(SittingRow.session_id, 1, len(name) - 1) == name[:-1]
