"""Drains this server, as SIGTERM does: for whoever cannot send its process a signal."""

from __future__ import annotations

from fastapi import APIRouter, Request

from proctoring.errors import NotNowError
from proctoring.server.authorisation import needs
from proctoring.server.error_answers import errors
from proctoring.server.grant import Scope
from proctoring.server.schemas import DrainAnswer
from proctoring.server.service import Service

router = APIRouter()


@router.post(
    "/api/drain",
    tags=["service"],
    status_code=202,
    responses=errors(NotNowError),
    dependencies=[needs(Scope.ADMIN)],
)
async def drain(request: Request) -> DrainAnswer:
    """Begin no session any more, let the open ones go on elsewhere (or end them, where that is not possible), and
    stop the process. Answers at once."""
    service: Service = request.app.state.service
    stop = service.draining.stop_process
    if stop is None:
        raise NotNowError("this process was not started by proctoring serve: stop it yourself")
    sessions = service.open_sessions
    stop()
    return DrainAnswer(sessions=sessions)
