"""REST: recorded sittings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from sqlalchemy.exc import SQLAlchemyError

from proctoring.errors import (
    BadPolicyError,
    LimitReachedError,
    RecordsOffError,
    RecordsUnavailableError,
    UnknownRecordError,
)
from proctoring.incidents import IncidentSummary, Severity, fold_changes
from proctoring.judgement.policy import MAX_POLICY_BYTES, Policies, Policy, parse_policy
from proctoring.records.archive import Archive
from proctoring.records.event_log import StoredEvent
from proctoring.records.plot import Plot
from proctoring.records.reader import INCIDENTS
from proctoring.records.rejudging import MAX_LISTED, Difference, compare, judge_again
from proctoring.records.review import DecisionKind, decide
from proctoring.records.sitting_detail import Decision, IncidentRecord, SittingDetail
from proctoring.records.sitting_list import SittingFilter, SittingOrder, SittingPage
from proctoring.server.authorisation import grant_of, needs
from proctoring.server.error_answers import errors
from proctoring.server.grant import Scope
from proctoring.server.json_body import BoundedRoute
from proctoring.server.record_files import json_text
from proctoring.server.report.table import incident_table
from proctoring.server.schemas import StoredText
from proctoring.server.service import Service
from proctoring.session.identifier import SESSION_ID
from proctoring.storage.storage import Storage

router = APIRouter(
    prefix="/api/records",
    tags=["records"],
    dependencies=[needs(Scope.REVIEW)],
    route_class=BoundedRoute,
)

# Plain functions: FastAPI runs them on threads, since they wait for the database.

MAX_POINTS = 5000
MAX_NUMBER = (1 << 31) - 1
"""The largest number that PostgreSQL's type of these columns holds."""

NOT_RECORDED = (RecordsOffError, RecordsUnavailableError)
"""Errors of every route that reads the database."""


class DecisionRequest(BaseModel):
    """A reviewer's decision on an incident."""

    model_config = ConfigDict(extra="forbid")

    decision: DecisionKind
    reason: StoredText = Field(
        default="",
        max_length=4000,
        description="Reason of the decision; needed unless the incident is dismissed.",
    )
    reviewer: StoredText = Field(
        default="", max_length=200, description="The reviewer, where the token names nobody."
    )

    @field_validator("reason")
    @classmethod
    def _trimmed(cls, reason: str) -> str:
        return reason.strip()

    @model_validator(mode="after")
    def _has_reason(self) -> Self:
        """To confirm harms a person: it is never done without saying why."""
        if self.decision != "dismiss" and not self.reason:
            raise ValueError(f"to {self.decision} needs a reason")
        return self


class JudgeRequest(BaseModel):
    """The policy to apply to a recorded sitting."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"policy": "lenient"}]}
    )

    policy: str | None = Field(default=None, max_length=100, description="A policy's name.")
    toml: str | None = Field(
        default=None, max_length=MAX_POLICY_BYTES, description="Or a whole policy."
    )
    accommodations: dict[str, dict[str, Any]] = Field(default_factory=dict, max_length=64)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result of applying a policy to a sitting, compared with the incidents that were published
    live."""

    policy: str
    observations: int
    """Number of recorded observations; 0 if none were recorded."""
    incident_count: int
    incidents: tuple[IncidentSummary, ...]
    """The first ``MAX_LISTED``."""
    difference: Difference


@router.get(
    "/sittings", responses=errors(*NOT_RECORDED), dependencies=[needs(Scope.REVIEW, filters=True)]
)
def list_sittings(
    request: Request,
    session_id: Annotated[str | None, Query(pattern=SESSION_ID)] = None,
    search: Annotated[
        str,
        Query(
            max_length=200,
            description="Words, each a part of the session id (case and accents do not count), or a "
            "sitting id.",
        ),
    ] = "",
    state: Literal["open", "ended", "interrupted"] | None = None,
    kind: Annotated[str | None, Query(max_length=64, description="With such an incident.")] = None,
    undecided: Annotated[bool, Query(description="With an alert nobody decided on.")] = False,
    since: Annotated[datetime | None, Query(description="Begun at or after.")] = None,
    until: Annotated[datetime | None, Query(description="Begun before.")] = None,
    order: Annotated[SittingOrder, Query(description="What to sort by.")] = "started",
    descending: Annotated[bool, Query(description="The newest, longest, most first.")] = True,
    before: Annotated[
        str | None, Query(max_length=26, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> SittingPage:
    """Recorded sittings, newest first unless another order is asked for. A session id may have
    several."""
    return archive(request).reader.sittings(
        SittingFilter(
            session_id=session_id,
            search=search,
            session_patterns=grant_of(request).sessions,
            state=state,
            kind=kind,
            undecided=undecided,
            since=_with_zone(since),
            until=_with_zone(until),
            order=order,
            descending=descending,
            before=before,
            limit=limit,
        )
    )


@router.get("/sittings/{sitting_id}", responses=errors(UnknownRecordError, *NOT_RECORDED))
def show_sitting(
    request: Request,
    sitting_id: str,
    after: Annotated[
        int, Query(ge=0, le=MAX_NUMBER, description="`next_incident` of the page before.")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Incidents in a page.")] = INCIDENTS,
) -> SittingDetail:
    """One sitting: a page of its incidents with their last decisions and evidence, consents, policy."""
    return archive(request).reader.sitting(sitting_id, after, limit)


@router.get("/sittings/{sitting_id}/events", responses=errors(UnknownRecordError, *NOT_RECORDED))
def list_events(
    request: Request,
    sitting_id: str,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[StoredEvent]:
    """Published events as they were sent (`text`, JSON), chained by `hash`."""
    return list(archive(request).reader.events(sitting_id, after, limit))


@router.get("/sittings/{sitting_id}/signals", responses=errors(UnknownRecordError, *NOT_RECORDED))
def show_signals(
    request: Request,
    sitting_id: str,
    start: Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)] = None,
    end: Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)] = None,
    points: Annotated[int, Query(ge=1, le=MAX_POINTS)] = 1000,
) -> Plot:
    """Measurements as curves to plot: gaze and head in degrees, faces, persons, phone, liveness,
    speech, speakers. Those of an open sitting lack the last seconds."""
    return archive(request).reader.plot(sitting_id, start, end, points)


@router.post(
    "/sittings/{sitting_id}/rejudge",
    responses=errors(UnknownRecordError, BadPolicyError, *NOT_RECORDED),
)
def judge_sitting_again(request: Request, sitting_id: str, wanted: JudgeRequest) -> Judgement:
    """What another policy makes of what was observed: exactly as it would have been, live.

    Changes nothing that is kept.
    """
    kept = archive(request)
    found = kept.reader.sitting(sitting_id, limit=1)
    service: Service = request.app.state.service
    policy = _policy(wanted, found, service.policies)
    storage(request).write_observations(sitting_id)
    count = 0

    def observations() -> Any:
        nonlocal count
        for observation in kept.reader.inputs(sitting_id):
            count += 1
            yield observation

    judged = fold_changes(
        judge_again(policy, observations(), found.sitting.media_time, kept.reader.seed(sitting_id))
    )
    before = [_summary(incident) for incident in kept.reader.incidents(sitting_id)]
    difference = compare(before, judged)
    return Judgement(policy.name, count, len(judged), judged[:MAX_LISTED], difference)


@router.post(
    "/sittings/{sitting_id}/incidents/{incident_id}/decision",
    status_code=201,
    responses=errors(UnknownRecordError, LimitReachedError, *NOT_RECORDED),
)
def decide_on_incident(
    request: Request, sitting_id: str, incident_id: str, wanted: DecisionRequest
) -> Decision:
    """Confirm, dismiss or comment. All decisions are kept; the last one counts."""
    kept, now = archive(request), datetime.now(UTC)
    reviewer = grant_of(request).subject or wanted.reviewer
    return decide(
        kept.engine,
        kept.signer,
        sitting_id,
        incident_id,
        wanted.decision,
        wanted.reason,
        reviewer,
        now,
    )


@router.get(
    "/sittings/{sitting_id}/json",
    responses=errors(UnknownRecordError, *NOT_RECORDED),
    response_class=Response,
)
def download_json(request: Request, sitting_id: str) -> Response:
    """Everything recorded of a sitting except its signals, as one file."""
    reader = archive(request).reader
    detail = reader.sitting(sitting_id, limit=1)  # raises before the answer begins
    return _file(json_text(reader, detail), "application/json", f"{sitting_id}.json")


@router.get(
    "/sittings/{sitting_id}/csv",
    responses=errors(UnknownRecordError, *NOT_RECORDED),
    response_class=Response,
)
def download_csv(request: Request, sitting_id: str) -> Response:
    """The incidents of a sitting as CSV: a row for each decision and comment, or one without."""
    reader = archive(request).reader
    reader.sitting(sitting_id, limit=1)  # raises before the answer begins
    text = incident_table(reader.incidents(sitting_id))
    return _file(text, "text/csv; charset=utf-8", f"{sitting_id}.csv")


def storage(request: Request) -> Storage:
    """The server's storage."""
    service: Service = request.app.state.service
    return service.storage


def archive(request: Request) -> Archive:
    """The database of records.

    Raises:
        RecordsOffError: there is none.
    """
    return storage(request).records


def database_error(error: SQLAlchemyError) -> RecordsUnavailableError:
    """The error for clients: the database's own message may contain data or addresses."""
    return RecordsUnavailableError(f"the database cannot be used now ({type(error).__name__})")


def _with_zone(time: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time


def _policy(wanted: JudgeRequest, found: SittingDetail, policies: Policies) -> Policy:
    if wanted.policy is not None and wanted.toml is not None:
        raise BadPolicyError("give policy or toml, not both")
    if wanted.toml is not None:
        policy = parse_policy(wanted.toml)
    elif wanted.policy is not None:
        policy = policies.get(wanted.policy)
    else:
        policy = parse_policy(found.policy_toml)
    return policy.with_accommodations(wanted.accommodations) if wanted.accommodations else policy


def _summary(incident: IncidentRecord) -> IncidentSummary:
    """A stored incident without its evidence and decisions."""
    return IncidentSummary(
        number=incident.number,
        kind=incident.kind,
        label=incident.label,
        severity=Severity(incident.severity),
        started_at=incident.started_at,
        duration=incident.duration,
        confidence=incident.confidence,
        alerted=incident.alerted,
        reason=incident.reason,
    )


def _file(text: Iterator[str], kind: str, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(text, media_type=kind, headers=disposition)
