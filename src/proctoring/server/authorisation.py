"""Authorisation: every route and socket declares which tokens it accepts; without that, none.

A route declares ``dependencies=[needs(Scope.REVIEW)]``, on itself or on its router, or ``[anyone]``.
Declarations are checked before the route or its dependencies run and before the body is read. If the
path contains ``{session_id}``, the token must cover that session; if it contains ``{sitting_id}``, the
session that the sitting is the record of. A route with neither accepts only tokens for all sessions,
unless it declares ``filters=True`` and restricts its answer by ``grant_of`` itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, FastAPI, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import iter_route_contexts
from fastapi.security.base import SecurityBase
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from proctoring.errors import (
    BadTokenError,
    ForbiddenError,
    MethodNotAllowedError,
    NotReadyError,
    ProctoringError,
    TokenExpiredError,
    UnknownPathError,
)
from proctoring.server.closing import CLOSE_TIMEOUT
from proctoring.server.error_answers import answer_error, error_text
from proctoring.server.grant import UNRESTRICTED, Grant, Scope
from proctoring.server.token_cookie import cookie_token
from proctoring.server.tokens import LEEWAY, TokenCheck

SUBPROTOCOL = "proctoring"
"""The subprotocol that the server selects when a socket offers it, with ``bearer.TOKEN`` or alone."""
_BEARER = "bearer."


class _Declaration(SecurityBase):
    """A dependency without effect, read by ``access_of`` and by the OpenAPI document."""

    def __init__(self, *, filters: bool) -> None:
        self.model = HTTPBearer(bearerFormat="JWT")
        self.scheme_name = "token"
        self.filters = filters

    async def __call__(self) -> None:
        """No effect: the middleware has authorised the request."""


async def _anyone() -> None: ...


anyone: Any = Depends(_anyone)
"""Declares a route that needs no token."""


def needs(*scopes: Scope, filters: bool = False) -> Any:
    """Declares a route that accepts tokens with any of these scopes.

    Several declarations on one route must all be met.

    Args:
        scopes: one of them suffices.
        filters: the path names no session, and the route itself restricts its answer to the token's
            sessions, by ``grant_of``.
    """
    return Security(_Declaration(filters=filters), scopes=[scope.value for scope in scopes])


@dataclass(frozen=True, slots=True)
class RouteAccess:
    """Which grants a route accepts."""

    declared: bool = False
    """``False``: none."""
    scopes: tuple[frozenset[Scope], ...] = ()
    """The grant must have one scope of each set; empty: no token is needed."""
    filters: bool = False

    def refusal(self, grant: Grant, session_id: str | None) -> str | None:
        """Why a grant is refused; ``None`` if it is accepted."""
        if not self.declared:
            return "nobody may use this: it declares no scope"
        for scopes in self.scopes:
            if not scopes & grant.scopes:
                return f"this needs a token for {' or '.join(sorted(scopes))}"
        if not self.scopes:
            return None
        if session_id is None and not self.filters and not grant.covers_all:
            return "this needs a token for all sessions"
        if session_id is not None and not grant.covers(session_id):
            return "the token is for other sessions"
        return None


OPEN_TO_ALL = RouteAccess(declared=True)


def access_of(dependencies: Sequence[Any]) -> RouteAccess:
    """What the dependencies of a route and of its routers declare."""
    declared, scopes, filters = False, [], False
    for one in dependencies:
        if one.dependency is _anyone:
            declared = True
        elif isinstance(one.dependency, _Declaration):
            declared = True
            scopes.append(frozenset(Scope(scope) for scope in one.scopes))
            filters |= one.dependency.filters
    return RouteAccess(declared=declared, scopes=tuple(scopes), filters=filters)


def declarations(
    app: FastAPI, open_paths: frozenset[str]
) -> Iterator[tuple[BaseRoute, RouteAccess]]:
    """Every route, mount and socket of an application with the access that it declares.

    Args:
        open_paths: paths that need no token and cannot declare so: mounts and the framework's own.
    """
    for found in iter_route_contexts(app.routes):
        path = found.path or ""
        if path in open_paths:
            access = OPEN_TO_ALL
        else:
            access = access_of(getattr(found.original_route, "dependencies", ()))
            if hasattr(found, "dependencies"):
                access = access_of(found.dependencies)
        if isinstance(found.original_route, Mount):
            yield Mount(path, app=_unreachable), access
        elif isinstance(found.original_route, WebSocketRoute):
            yield WebSocketRoute(path, _unreachable), access
        else:
            yield Route(path, _unreachable, methods=sorted(found.methods or ())), access


def grant_of(connection: HTTPConnection) -> Grant:
    """The grant of this request or socket."""
    grant: Grant = connection.scope["state"]["grant"]
    return grant


def token_of(connection: HTTPConnection) -> str | None:
    """A digest that identifies the token of this request or socket; ``None`` without a token."""
    found: str | None = connection.scope["state"].get("token")
    return found


class Authorisation:
    """ASGI middleware that authorises each request, and closes sockets whose token expires.

    Args:
        check: verifies tokens; ``None``: every request is permitted.
        open_paths: see ``declarations``.
        session_of: sitting id to session id; ``None`` for an unknown sitting. May block: it is called
            on a thread.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        check: TokenCheck | None,
        open_paths: frozenset[str],
        session_of: Callable[[str], str | None],
    ) -> None:
        self._app = app
        self._check = check
        self._session_of = session_of
        self._open_paths = open_paths
        self._declared: list[tuple[BaseRoute, RouteAccess]] = []

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Pass the request on with its grant, or answer it with an error."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        token, cookie = _extract_token(scope), None
        if token is None:
            token = cookie = cookie_token(scope)
        _hide_cookie(scope)
        if scope["type"] == "websocket" and SUBPROTOCOL in scope["subprotocols"]:
            send = _with_subprotocol(send)
        if self._check is None:
            scope.setdefault("state", {})["grant"] = UNRESTRICTED
            await self._app(scope, receive, send)
            return
        try:
            grant = await self._authorise(scope, token, by_cookie=cookie is not None)
        except ProctoringError as error:
            await answer_error(scope, receive, send, error)
            return
        scope.setdefault("state", {})["grant"] = grant
        if token is not None:
            scope["state"]["token"] = hashlib.sha256(token.encode()).hexdigest()
        if scope["type"] == "websocket" and grant.expires_at is not None:
            await self._run_until(grant.expires_at, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _authorise(
        self, scope: Connection, token: str | None, *, by_cookie: bool = False
    ) -> Grant:
        assert self._check is not None  # noqa: S101  (asked by the caller)
        access, parameters = self._find(scope)
        if token is None:
            if access.declared and not access.scopes:
                return NO_GRANT
            raise BadTokenError("a token is needed: Authorization: Bearer TOKEN")
        try:
            grant = await self._check.read(token)
        except (BadTokenError, NotReadyError):
            # A browser sends an old cookie with everything, also for the page that asks for a new token.
            if by_cookie and access.declared and not access.scopes:
                return NO_GRANT
            raise
        session_id = parameters.get("session_id")
        if "sitting_id" in parameters and session_id is None and not grant.covers_all:
            # An unknown sitting is answered like one of another session: 403.
            session_id = await asyncio.to_thread(self._session_of, parameters["sitting_id"]) or ""
        reason = access.refusal(grant, session_id)
        if reason is not None:
            raise ForbiddenError(reason)
        return grant

    def _find(self, scope: Connection) -> tuple[RouteAccess, dict[str, str]]:
        """The access that the request's route declares, and the path's parameters.

        A request without a route does not reach the application, which might match it differently.

        Raises:
            UnknownPathError: no route has this path.
            MethodNotAllowedError: a route has this path, with another method.
        """
        if not self._declared:
            self._declared = list(declarations(scope["app"], self._open_paths))
        partly = False
        for route, access in self._declared:
            match, child = route.matches(scope)
            if match is Match.FULL:
                return access, child.get("path_params", {})
            partly |= match is Match.PARTIAL
        if partly:
            raise MethodNotAllowedError("this path has no such method")
        raise UnknownPathError("there is nothing under this path")

    async def _run_until(self, end: float, scope: Connection, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(max(0.0, end + LEEWAY - time.time())) as limit:
                await self._app(scope, receive, send)
        except TimeoutError:
            if not limit.expired():
                raise
            error = TokenExpiredError("the token has expired: come back with a new one")
            for message in (
                {"type": "websocket.send", "text": error_text(error)},
                {"type": "websocket.close", "code": error.close_code, "reason": error.detail},
            ):
                # Not accepted yet, already closed, disconnected, or a client that does not read.
                with contextlib.suppress(RuntimeError, OSError, TimeoutError):
                    async with asyncio.timeout(CLOSE_TIMEOUT):
                        await send(message)


NO_GRANT = Grant(frozenset(), ())


async def _unreachable(scope: Connection, receive: Receive, send: Send) -> None:
    """Endpoint of routes that are only matched."""


def _extract_token(scope: Connection) -> str | None:
    """The token of a request; removed from the scope, so that nothing downstream can log it."""
    found: str | None = None
    headers = Headers(scope=scope)
    word, _, rest = headers.get("authorization", "").partition(" ")
    if word.lower() == "bearer" and rest.strip():
        found = rest.strip()
    hidden = {b"authorization"}
    if scope["type"] == "websocket":
        offered = scope.get("subprotocols", [])
        tokens = [one.removeprefix(_BEARER) for one in offered if one.startswith(_BEARER)]
        found = found or next(iter(tokens), None)
        scope["subprotocols"] = [one for one in offered if not one.startswith(_BEARER)]
        hidden.add(b"sec-websocket-protocol")
    scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() not in hidden]
    return found


def _hide_cookie(scope: Connection) -> None:
    """Nothing downstream may read, or log, the cookie."""
    scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != b"cookie"]


def _with_subprotocol(send: Send) -> Send:
    """Select the subprotocol: browsers fail a connection that selects none of those they offered."""

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.accept":
            message = {**message, "subprotocol": SUBPROTOCOL}
        await send(message)

    return sending
