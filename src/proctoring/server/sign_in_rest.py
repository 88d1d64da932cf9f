"""REST: a browser exchanges a token for a cookie, and gives it up."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from proctoring.errors import BadTokenError, NotReadyError
from proctoring.server.authorisation import anyone
from proctoring.server.error_answers import errors
from proctoring.server.json_body import BoundedRoute
from proctoring.server.token_cookie import LONGEST, remove_token, set_token
from proctoring.server.tokens import MAX_LENGTH, TokenCheck

router = APIRouter(
    prefix="/api/sign-in", tags=["service"], dependencies=[anyone], route_class=BoundedRoute
)


class SignInRequest(BaseModel):
    """A token to keep."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=MAX_LENGTH, repr=False)


@router.post("", status_code=204, responses=errors(BadTokenError, NotReadyError))
async def sign_in(request: Request, given: SignInRequest) -> Response:
    """Keep a token of any scope in a cookie that only this server's pages send, at most as long as the
    token is valid. Where no tokens are used, this has no effect."""
    check: TokenCheck | None = request.app.state.token_check
    response = Response(status_code=204)
    if check is not None:
        grant = await check.read(given.token)
        now = time.time()
        seconds = LONGEST if grant.expires_at is None else grant.expires_at - now
        set_token(response, given.token, seconds, path=_path(request), secure=_secure(request))
    return response


@router.delete("", status_code=204)
async def sign_out(request: Request) -> Response:
    """Remove the cookie."""
    response = Response(status_code=204)
    remove_token(response, path=_path(request), secure=_secure(request))
    return response


def _path(request: Request) -> str:
    """Below which the pages lie: a proxy may serve them under a prefix."""
    return f"{request.scope.get('root_path', '')}/"


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
