"""The REST interface of records: sittings that were, and are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from sqlalchemy.exc import SQLAlchemyError

from proctoring.errors import RecordsUnavailableError
from proctoring.records.archive import Archive
from proctoring.records.reader import SittingDetail, SittingPage, StoredEvent, Wanted
from proctoring.server.authorisation import grant_of, needs
from proctoring.server.grant import Scope
from proctoring.server.rest import errors
from proctoring.server.service import Service
from proctoring.session.identifier import SESSION_ID

router = APIRouter(prefix="/api/records", tags=["records"], dependencies=[needs(Scope.REVIEW)])

# Plain functions, not coroutines: FastAPI runs them beside the event loop, since they wait for
# the database.


@router.get(
    "/sessions", responses=errors(422, 503), dependencies=[needs(Scope.REVIEW, filters=True)]
)
def list_sittings(
    request: Request,
    session_id: Annotated[str | None, Query(pattern=SESSION_ID)] = None,
    state: Literal["open", "ended", "interrupted"] | None = None,
    kind: Annotated[str | None, Query(max_length=64, description="With such an incident.")] = None,
    undecided: Annotated[bool, Query(description="With an alert nobody decided on.")] = False,
    since: Annotated[datetime | None, Query(description="Begun at or after.")] = None,
    until: Annotated[datetime | None, Query(description="Begun before.")] = None,
    before: Annotated[
        str | None, Query(max_length=26, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> SittingPage:
    """Sittings that are kept, newest first. A session's name may be used again; each is a sitting."""
    return archive(request).reader.sittings(
        Wanted(
            session_id,
            grant_of(request).sessions,
            state,
            kind,
            undecided,
            since,
            until,
            before,
            limit,
        )
    )


@router.get("/sessions/{sitting}", responses=errors(404, 503))
def show_sitting(request: Request, sitting: str) -> SittingDetail:
    """One sitting: its incidents with what reviewers decided, consents, the policy that judged."""
    return archive(request).reader.sitting(sitting)


@router.get("/sessions/{sitting}/events", responses=errors(404, 422, 503))
def list_events(
    request: Request,
    sitting: str,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> list[StoredEvent]:
    """What listeners were told, as it went out (`text`, JSON), each bound by `hash` to the one before."""
    return list(archive(request).reader.events(sitting, after, limit))


def archive(request: Request) -> Archive:
    """The database of records.

    Raises:
        RecordsUnavailableError: there is none.
    """
    service: Service = request.app.state.service
    if service.archive is None:
        raise RecordsUnavailableError("nothing is recorded: see /api/health")
    return service.archive


def explain(error: SQLAlchemyError) -> RecordsUnavailableError:
    """A failure of the database in words for clients, which its own are not for."""
    return RecordsUnavailableError(f"the database cannot be used now ({type(error).__name__})")
