"""How errors go out: in REST answers, in refused handshakes and in the messages of sockets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from proctoring.errors import (
    BadRequestError,
    BadTokenError,
    BodyTooLargeError,
    ForbiddenError,
    InvalidRequestError,
    ProctoringError,
    RateLimitedError,
)
from proctoring.server.schemas import ErrorAnswer

COMMON: tuple[type[ProctoringError], ...] = (
    BadRequestError,
    BadTokenError,
    ForbiddenError,
    BodyTooLargeError,
    InvalidRequestError,
    RateLimitedError,
)
"""What every route may answer: from the guard, from authorisation, or to an invalid request."""


def error_body(error: ProctoringError) -> dict[str, Any]:
    """``{"error": {...}}``, the form of every error on every path and socket."""
    body = {"code": error.code, "detail": error.detail, "retryable": error.retryable}
    return {"error": body}


def error_text(error: ProctoringError) -> str:
    """An error as a message of a socket."""
    return json.dumps(error_body(error))


def error_response(error: ProctoringError) -> JSONResponse:
    """The answer to a request or to a socket's handshake."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return JSONResponse(error_body(error), error.status, headers)


async def answer_error(scope: Scope, receive: Receive, send: Send, error: ProctoringError) -> None:
    """Answer a request with an error, or refuse a socket's handshake with it."""
    await error_response(error)(scope, receive, send)


def errors(*kinds: type[ProctoringError]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI descriptions of a route's errors, by status.

    A status that every route may answer (``COMMON``) is described with those errors, too.
    """
    by_status: dict[int, list[type[ProctoringError]]] = {}
    for kind in kinds:
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {"model": ErrorAnswer, "description": _description(status, members)}
        for status, members in by_status.items()
    }


def _description(status: int, kinds: Sequence[type[ProctoringError]]) -> str:
    common = [kind for kind in COMMON if kind.status == status and kind not in kinds]
    return " ".join(f"`{kind.code}`: {kind.__doc__}" for kind in [*kinds, *common])
