"""Whether sessions can begin: for load balancers and start scripts, which read the status alone."""

from __future__ import annotations

from fastapi import APIRouter, Request

from proctoring.errors import DrainingError, NotReadyError
from proctoring.server.authorisation import anyone, grant_of
from proctoring.server.error_answers import errors
from proctoring.server.schemas import ReadyAnswer
from proctoring.server.service import Service

router = APIRouter()


@router.get(
    "/api/ready",
    tags=["service"],
    responses=errors(DrainingError, NotReadyError),
    dependencies=[anyone],
)
async def ready(request: Request) -> ReadyAnswer:
    """200 if sessions can begin, 503 if not: models are being loaded, could not be, or nothing can be
    analysed. 404 while the server hands its sessions to others: sockets of sessions that it has may still be
    opened, and a balancer should send it nothing else. The reasons are given where no tokens are used, or with a token."""
    service: Service = request.app.state.service
    if service.draining.active:
        raise DrainingError("the server hands over its sessions")
    try:
        service.check_ready()
    except NotReadyError as error:
        if not grant_of(request).scopes:
            raise NotReadyError("not ready") from error
        raise
    return ReadyAnswer(status=service.status.value)
