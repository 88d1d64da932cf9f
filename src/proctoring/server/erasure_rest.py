"""REST: consents, and the erasure of sittings and consents. For operators, not for reviewers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from proctoring.errors import (
    BadSessionIdError,
    ErasureBusyError,
    LimitReachedError,
    RateLimitedError,
    SittingOpenError,
    TooManyError,
    UnknownRecordError,
)
from proctoring.records.consents import consent
from proctoring.records.erasure import Erasure, erasures
from proctoring.records.sitting_detail import Consent
from proctoring.server.authorisation import grant_of, needs
from proctoring.server.error_answers import errors
from proctoring.server.grant import Scope
from proctoring.server.json_body import BoundedRoute
from proctoring.server.records_rest import MAX_NUMBER, NOT_RECORDED, archive, storage
from proctoring.server.schemas import StoredText
from proctoring.server.service import Service
from proctoring.session.identifier import check_session_id

router = APIRouter(prefix="/api/records", tags=["records"], route_class=BoundedRoute)

Reason = Annotated[str, Query(min_length=1, max_length=500)]
"""The reason of an erasure, stored with its record."""

# Plain functions: FastAPI runs them on threads, since they wait for the database.


class ConsentRequest(BaseModel):
    """A candidate's consent, or its withdrawal."""

    model_config = ConfigDict(extra="forbid")

    granted: bool = True
    text: StoredText = Field(
        min_length=1, max_length=20_000, description="The full text that the candidate was shown."
    )
    given_by: StoredText = Field(
        default="", max_length=200, description="Who agreed, in your own naming."
    )


async def _limit_rate(request: Request, session_id: str) -> None:
    service: Service = request.app.state.service
    if service.consent_limit.exceeds(session_id, service.now()):
        raise RateLimitedError("too many consents for this session: slow down")


@router.post(
    "/sessions/{session_id}/consent",
    status_code=201,
    responses=errors(
        BadSessionIdError, LimitReachedError, RateLimitedError, TooManyError, *NOT_RECORDED
    ),
    dependencies=[needs(Scope.ADMIN, Scope.MEDIA), Depends(_limit_rate)],
)
def record_consent(request: Request, session_id: str, wanted: ConsentRequest) -> Consent:
    """Store a candidate's consent, or its withdrawal, under a session id: before the session or during
    it. The same one again is counted."""
    check_session_id(session_id)
    kept, now, grant = archive(request), datetime.now(UTC), grant_of(request)
    prefixes = [name[:-1] for name in grant.sessions if name.endswith("*")]
    return consent(
        kept.engine,
        kept.signer,
        session_id,
        wanted.granted,
        wanted.text,
        wanted.given_by,
        now,
        prefixes=() if Scope.ADMIN in grant.scopes else prefixes,
    )


@router.delete(
    "/sessions/{session_id}/consent",
    responses=errors(BadSessionIdError, UnknownRecordError, *NOT_RECORDED),
    dependencies=[needs(Scope.ADMIN)],
)
def erase_waiting_consents(
    request: Request,
    session_id: str,
    reason: Reason = "erased on request",
) -> Erasure:
    """Erase consents of a session that has not started. Those of a sitting are erased with it."""
    check_session_id(session_id)
    return storage(request).erase_consents(session_id, reason, grant_of(request).subject)


@router.delete(
    "/sittings/{sitting_id}",
    responses=errors(UnknownRecordError, SittingOpenError, ErasureBusyError, *NOT_RECORDED),
    dependencies=[needs(Scope.ADMIN)],
)
def erase_sitting(
    request: Request,
    sitting_id: str,
    reason: Reason = "erased on request",
) -> Erasure:
    """Erase a sitting that has ended: events, incidents, signals, decisions, consents, evidence and
    embeddings. A signed record of the erasure remains, which identifies nobody."""
    return storage(request).erase(sitting_id, reason, grant_of(request).subject)


@router.get("/erasures", responses=errors(*NOT_RECORDED), dependencies=[needs(Scope.ADMIN)])
def list_erasures(
    request: Request,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER, description="Number of the last one.")] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[Erasure]:
    """Records of erasures, oldest first, chained by `hash` and signed by the server."""
    return list(erasures(archive(request).engine, after, limit))
