"""Sends a request on to the server that owns its session, and its answer back, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.types import Receive, Scope, Send

from proctoring.cluster.place import Elsewhere, ForwardError
from proctoring.cluster.requests import kept_headers, method_of, target
from proctoring.errors import NotReadyError

CONNECT_TIMEOUT = 2.0
"""Seconds; a server that lives accepts in milliseconds."""

READ_TIMEOUT = 30.0
"""Seconds between two pieces of an answer: learning a voice takes a few."""

MAX_CONNECTIONS = 100


def client() -> httpx.AsyncClient:
    """A client for requests to other servers: no redirects, no proxy, a bounded pool."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=20),
        follow_redirects=False,
        trust_env=False,
    )


async def forward_http(
    http: httpx.AsyncClient,
    place: Elsewhere,
    mark: tuple[str, str],
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Forward one request.

    Args:
        http: the client.
        place: the owner.
        mark: name and value of the header that says that a server sends this.
        scope: the request, not read yet.
        receive: its body, whose length has been checked.
        send: receives the answer.

    Raises:
        ForwardError: the owner could not be reached.
        NotReadyError: the owner took the request, and did not answer.
    """
    name, value = mark
    headers = [*kept_headers(scope), (name.encode(), value.encode())]
    has_body = any(key.lower() == b"content-length" and text != b"0" for key, text in headers)
    request = http.build_request(
        method_of(scope),
        place.address + target(scope),
        headers=headers,
        content=_body(receive) if has_body else None,
    )
    try:
        answer = await http.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise ForwardError(place, refused=is_refusal(error)) from error
    except httpx.TransportError as error:  # it may have done what was asked
        raise NotReadyError("the session's server did not answer; ask again what it did") from error
    try:
        kept = kept_headers({"headers": answer.headers.raw}, (b"date",))
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        async for piece in answer.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await answer.aclose()


def is_refusal(error: BaseException) -> bool:
    """Whether one of the causes is that nothing listens at the address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError):
            return True
        if isinstance(cause, BaseExceptionGroup):
            return all(map(is_refusal, cause.exceptions))
        cause = cause.__cause__ or cause.__context__
    # Anything else (no route, no descriptor left here) leaves it open whether the process there lives.
    return "Connection refused" in str(error)


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return  # the client has gone
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return
