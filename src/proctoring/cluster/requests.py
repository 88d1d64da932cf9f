"""Reads a request as ASGI has it: which session it is about, and how it is sent on."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import Scope

from proctoring.cluster.signature import HEADER

_SOCKET = re.compile(r"/ws/proctor/(.+)/(?:video|audio|browser|events)")
_REST = re.compile(r"/api/sessions/([^/]+)(?:/(?:voice|calibration|challenge))?/?")

_OF_CONNECTION = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"te", b"trailer"}
    | {b"transfer-encoding", b"upgrade", HEADER.encode()}
)
"""Headers that belong to one connection (RFC 9110, 7.6.1), and the mark of a forwarded request."""

FROM_PEER = "proctoring.from_peer"
"""Key of the scope of a request that another server forwarded."""


def session_of(scope: Scope) -> str | None:
    """The session id that a request or socket is about; ``None`` if it is about none that is live."""
    pattern = _SOCKET if scope["type"] == "websocket" else _REST
    found = pattern.fullmatch(scope["path"])
    return None if found is None else found.group(1)


def method_of(scope: Scope) -> str:
    """``GET``, ...; ``WEBSOCKET`` for a socket."""
    return "WEBSOCKET" if scope["type"] == "websocket" else str(scope["method"])


def raw_path(scope: Scope) -> str:
    """The path as it was sent, percent-encoded, without the query."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("ascii", errors="replace").partition("?")[0]


def target(scope: Scope) -> str:
    """Path and query as they were sent."""
    query = scope["query_string"].decode("ascii", errors="replace")
    return f"{raw_path(scope)}?{query}" if query else raw_path(scope)


def kept_headers(scope: Scope, drop: Iterable[bytes] = ()) -> list[tuple[bytes, bytes]]:
    """Headers that are sent on."""
    dropped = _OF_CONNECTION | set(drop)
    return [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]


def client_of(scope: Scope) -> str:
    """The client's address; empty if it is not known."""
    client = scope.get("client")
    return str(client[0]) if client else ""
