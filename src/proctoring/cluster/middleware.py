"""ASGI middleware of a server of a cluster: recognises requests of the others, forwards to them."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from proctoring.cluster.forward_http import client, forward_http
from proctoring.cluster.forwards import Forwards
from proctoring.cluster.membership import Membership
from proctoring.cluster.place import Elsewhere, ForwardError
from proctoring.cluster.placement import Placement
from proctoring.cluster.requests import FROM_PEER, client_of, method_of, raw_path, session_of
from proctoring.cluster.signature import HEADER, Signature
from proctoring.errors import (
    NotReadyError,
    ProctoringError,
    SessionMovedError,
)

STATUS_PATH = "/api/peer"
SESSIONS_PATH = "/api/peer/sessions"
"""What servers ask each other; there are no such paths for anybody else."""

ATTEMPTS = 2
"""The second asks again who owns the session: its server is gone."""

AnswerError = Callable[[Scope, Receive, Send, ProctoringError], Awaitable[None]]


class PeerRequests:
    """Marks requests that another server sent, and restores their client's address; the outermost.

    The others are let through as they are, without the header.
    """

    def __init__(
        self, app: ASGIApp, *, signature: Signature, wall: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._signature = signature
        self._wall = wall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] in ("http", "websocket"):
            value = Headers(scope=scope).get(HEADER)
            if value is not None:
                name = HEADER.encode()
                kept = [pair for pair in scope["headers"] if pair[0].lower() != name]
                scope = {**scope, "headers": kept}
                found = self._signature.client_of(
                    value, method_of(scope), raw_path(scope), self._wall()
                )
                if found is not None:
                    scope |= {FROM_PEER: True, "client": (found, 0) if found else None}
        await self._app(scope, receive, send)


class Forwarding:
    """Serves a request here, or forwards it to the server that owns its session.

    Args:
        membership: this server's.
        placement: finds the owner.
        signature: signs what is forwarded.
        answer_error: answers a request, or refuses a handshake.
        live: the open sessions of this process, as JSON, for other servers.
        forwards: the sockets that are forwarded.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        membership: Membership,
        placement: Placement,
        signature: Signature,
        answer_error: AnswerError,
        live: Callable[[], list[Any]],
        forwards: Forwards,
        now: Callable[[], float],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._membership = membership
        self._placement = placement
        self._signature = signature
        self._answer_error = answer_error
        self._live = live
        self._forwards = forwards
        self._now = now
        self._wall = wall
        self._http: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, to the application or to another server."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope.get(FROM_PEER) and scope["path"] in (STATUS_PATH, SESSIONS_PATH):
            await self._tell_peer(scope["path"], send)
            return
        session_id = session_of(scope)
        if session_id is None:
            await self._app(scope, receive, send)
            return
        for _ in range(ATTEMPTS):
            try:
                place = await self._placement.of(session_id)
                if place is None:
                    break
                if scope.get(FROM_PEER):  # it is forwarded once at most
                    raise SessionMovedError("the session has just gone to another server")
                await self._forward(place, scope, receive, send)
            except ForwardError as error:
                if error.refused:
                    self._membership.refused(error.server_id)
            except ProctoringError as error:
                await self._answer_error(scope, receive, send, error)
                return
            else:
                return
        else:
            unknown = NotReadyError("the session's server does not answer; try again")
            await self._answer_error(scope, receive, send, unknown)
            return
        await self._app(scope, receive, send)

    async def _forward(self, place: Elsewhere, scope: Scope, receive: Receive, send: Send) -> None:
        mark = (
            HEADER,
            self._signature.sign(method_of(scope), raw_path(scope), client_of(scope), self._wall()),
        )
        self._forwards.count += 1
        if scope["type"] == "websocket":
            forward = self._forwards.add(place)
            try:
                await forward.run(mark, scope, receive, send)
            finally:
                self._forwards.remove(forward)
            return
        if self._http is None:
            self._http = client()
        await forward_http(self._http, place, mark, scope, receive, send)

    async def _tell_peer(self, path: str, send: Send) -> None:
        lease, now = self._membership.lease, self._now()
        status = {"may_take_over": lease.may_take_over(now), "age": min(lease.age(now), 1e6)}
        body = json.dumps(status if path == STATUS_PATH else self._live()).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
