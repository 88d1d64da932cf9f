"""How errors go out: in REST answers, in refused handshakes and in the messages of sockets."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from proctoring.errors import ProctoringError
from proctoring.server.schemas import ErrorAnswer


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


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI descriptions of a route's errors, by status."""
    return {status: {"model": ErrorAnswer} for status in statuses}
