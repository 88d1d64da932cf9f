"""Lists of sittings: what narrows and orders them, and what they show of each."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, or_, select
from sqlalchemy.orm import aliased

from proctoring.records.tables import DecisionRow, IncidentRow, PolicyRow, SittingRow


@dataclass(frozen=True, slots=True)
class SittingSummary:
    """A sitting in a list."""

    id: str
    session_id: str
    started_at: datetime
    ended_at: datetime | None
    state: str
    """``open``, ``ended``, ``interrupted``."""
    end_reason: str | None
    mirrored: bool
    policy: str
    policy_hash: str
    media_time: float | None
    """Media time in seconds at which it ended; ``None`` while it is open."""
    last_seq: int
    """The number of its last event."""
    events: int
    """How many it has; so for incidents, alerts and violations."""
    incidents: int
    alerts: int
    violations: int
    undecided: int
    """Incidents that alerted and were neither confirmed nor dismissed."""
    signals_lost: int
    """Inputs of judgement that could not be recorded: judged again, the sitting may differ."""
    seal: str | None
    """The server's signature of the count and the last hash of its events; ``None`` while it is open."""


@dataclass(frozen=True, slots=True)
class SittingPage:
    """One page of a list of sittings."""

    sittings: tuple[SittingSummary, ...]
    next: str | None
    """``SittingFilter.before`` of the next page; ``None`` on the last one."""


SittingOrder = Literal["started", "session_id", "length", "violations", "alerts", "undecided"]
"""What a list may be ordered by; those alike are ordered by their start."""


@dataclass(frozen=True, slots=True)
class SittingFilter:
    """Which sittings to list."""

    session_id: str | None = None
    search: str = ""
    """Words, each of which is a part of the session id or the whole sitting id; see ``session_search``."""
    session_patterns: tuple[str, ...] = ("*",)
    """Session ids, or prefixes that end in ``*``: those that the client may see."""
    state: str | None = None
    kind: str | None = None
    """With an incident of this kind."""
    undecided: bool = False
    """With an alert that no reviewer has confirmed or dismissed."""
    since: datetime | None = None
    """Started at or after."""
    until: datetime | None = None
    """Started before."""
    order: SittingOrder = "started"
    descending: bool = True
    before: str | None = None
    """Sittings that follow this one in the order: ``SittingPage.next`` of the page before."""
    limit: int = 50


def sitting_page(connection: Connection, wanted: SittingFilter) -> SittingPage:
    """The sittings that pass a filter, in its order."""
    query = _ordered(_filtered(wanted), wanted).limit(wanted.limit + 1)
    ids = list(connection.execute(query).scalars())
    page = ids[: wanted.limit]
    found = {sitting.id: sitting for sitting in sitting_summaries(connection, page)}
    more = page[-1] if len(ids) > wanted.limit else None
    return SittingPage(tuple(found[id_] for id_ in page), more)


def sitting_summaries(connection: Connection, ids: list[str]) -> list[SittingSummary]:
    """The sittings with these ids, in no order; unknown ids are left out."""
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
    # One query over the decisions, which are few, instead of one for each incident.
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
                started_at=row.started_at,
                ended_at=row.ended_at,
                state=row.state,
                end_reason=row.end_reason,
                mirrored=row.mirrored,
                policy=row.policy,
                policy_hash=row.policy_hash,
                media_time=row.end_media_time,
                last_seq=row.last_seq,
                events=row.event_count,
                incidents=0 if count is None else count.incidents,
                alerts=0 if count is None else count.alerts,
                violations=0 if count is None else count.violations,
                undecided=0 if count is None else count.alerts - decided.get(row.id, 0),
                signals_lost=row.signals_lost,
                seal=row.event_chain_signature,
            )
        )
    return found


def _filtered(wanted: SittingFilter) -> Select[str]:
    query = select(SittingRow.id)
    if wanted.session_id is not None:
        query = query.where(SittingRow.session_id == wanted.session_id)
    for word in session_search(wanted.search):
        part = func.lower(SittingRow.session_id).contains(word, autoescape=True)
        query = query.where(or_(part, SittingRow.id == word.upper()))
    if "*" not in wanted.session_patterns:
        query = query.where(or_(false(), *map(_matches, wanted.session_patterns)))
    if wanted.state is not None:
        query = query.where(SittingRow.state == wanted.state)
    if wanted.since is not None:
        query = query.where(SittingRow.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(SittingRow.started_at < wanted.until)
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
    return query


def _ordered(query: Select[str], wanted: SittingFilter) -> Select[str]:
    key, id_ = _sort_key(wanted.order, SittingRow), SittingRow.id
    directed = [one.desc() if wanted.descending else one.asc() for one in (key, id_)]
    if wanted.before is not None:
        last = aliased(SittingRow)
        value = select(_sort_key(wanted.order, last)).where(last.id == wanted.before)
        # An id is a moment: what follows can be told even if that sitting was erased meanwhile.
        limit = wanted.before if wanted.order == "started" else value.scalar_subquery()
        further = key < limit if wanted.descending else key > limit
        later = id_ < wanted.before if wanted.descending else id_ > wanted.before
        query = query.where(or_(further, and_(key == limit, later)))
    return query.order_by(*directed)


def _sort_key(order: SittingOrder, row: type[SittingRow]) -> ColumnElement[Any]:
    if order == "started":
        return row.id.expression
    if order == "session_id":
        return func.lower(row.session_id)
    if order == "length":
        return func.coalesce(row.end_media_time, 0.0)
    counted = {
        "violations": and_(IncidentRow.alerted, IncidentRow.severity == "violation"),
        "alerts": IncidentRow.alerted,
        "undecided": _undecided(),
    }
    count = select(func.count()).select_from(IncidentRow)
    count = count.where(IncidentRow.sitting_id == row.id, counted[order])
    return count.correlate(row).scalar_subquery()


_FOLDED = str.maketrans("łøđħıæœ", "lodhiao")
"""Letters that Unicode does not take apart into a letter and an accent, to the plain one."""


def session_search(text: str) -> list[str]:
    """The words of a search, without case and accents, which session ids have none of.

    ``"María  JOSÉ"`` becomes ``["maria", "jose"]``.
    """
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return plain.translate(_FOLDED).split()


def _undecided() -> ColumnElement[bool]:
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


def _matches(pattern: str) -> ColumnElement[bool]:
    if not pattern.endswith("*"):
        return SittingRow.session_id == pattern
    # Not LIKE, which ignores case in SQLite.
    return func.substr(SittingRow.session_id, 1, len(pattern) - 1) == pattern[:-1]
