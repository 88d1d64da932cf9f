"""Middleware that checks host, origin, rate and size of each request and sets security headers."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from proctoring.errors import (
    BadRequestError,
    BodyTooLargeError,
    ForbiddenError,
    ProctoringError,
    RateLimitedError,
)
from proctoring.server.access import refusal
from proctoring.server.error_answers import answer_error
from proctoring.server.rate_limit import ClientLimit

MAX_BODY = 256 << 10
"""Bytes of a request's body. A session with all its accommodations takes a few thousand."""
MAX_REFERENCE = 8 << 20
"""Bytes of a body that may contain a voice recording (6 MiB, in base64)."""
REFERENCES = re.compile(r"/api/sessions(/[^/]+/voice)?/?")
"""Paths of such bodies."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), geolocation=()",
}
_CONTENT = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


class Guard:
    """ASGI middleware; the outermost one.

    Args:
        local_only: the server is bound to this machine only.
        allowed_origins: see ``access.refusal``.
        requests_per_second: mean rate per client address; bursts may be twice as large.
        now: monotonic clock, seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        local_only: bool,
        allowed_origins: Iterable[str] = (),
        requests_per_second: float = 200.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._rate_limit = ClientLimit(requests_per_second)
        self._now = now
        self._local_only = local_only
        self._allowed = tuple(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with an error."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = refusal(headers, local_only=self._local_only, allowed_origins=self._allowed)
        client = scope["client"][0] if scope.get("client") else ""
        if self._rate_limit.exceeds(client, self._now()):
            await _answer(scope, receive, send, RateLimitedError("too many requests: slow down"))
        elif reason is not None:
            await _answer(scope, receive, send, ForbiddenError(reason))
        elif "\0" in scope["path"] or b"%00" in scope["query_string"]:
            # PostgreSQL stores no text with it.
            refused = BadRequestError("the address contains a null character")
            await _answer(scope, receive, send, refused)
        elif scope["type"] == "websocket":
            with contextlib.suppress(WebSocketDisconnect):  # a disconnected client is no error
                await self._app(scope, receive, send)
        elif _too_long(headers, _max_body(scope["path"])):
            detail = f"the body must say its length, at most {_max_body(scope['path'])} bytes"
            await _answer(scope, receive, send, BodyTooLargeError(detail))
        else:
            await self._app(scope, receive, _with_headers(scope["path"], send))


def _max_body(path: str) -> int:
    return MAX_REFERENCE if REFERENCES.fullmatch(path) else MAX_BODY


def _too_long(headers: Headers, limit: int) -> bool:
    if "transfer-encoding" in headers:
        return True
    length = headers.get("content-length", "0")
    return not length.isdecimal() or len(length) > 12 or int(length) > limit


async def _answer(scope: Scope, receive: Receive, send: Send, error: ProctoringError) -> None:
    if scope["type"] == "http":
        send = _with_headers(HTTPConnection(scope).url.path, send)
    await answer_error(scope, receive, send, error)


def _with_headers(path: str, send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("content-security-policy", _CONTENT)
            headers.setdefault(
                "cache-control", "no-store" if path.startswith("/api") else "no-cache"
            )
        await send(message)

    return sending
