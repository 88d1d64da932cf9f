"""The server's address, and requests to its REST API."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from proctoring.errors import SessionExistsError, SettingsError, UnknownSessionError
from proctoring.livekit.answers import ServerError, read_error

DEFAULT_URL = "ws://localhost:8000"
_SCHEMES = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
_SOCKETS = "/ws/proctor"
_TIMEOUT = 10.0
"""Seconds that a request may take."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The server's address and the client's token."""

    base: str
    """``http(s)://host:port[/prefix]``, without a trailing slash."""
    token: str | None = field(default=None, repr=False)

    @property
    def public(self) -> str:
        """The address without a user's name and password."""
        scheme, _, rest = self.base.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"

    @property
    def headers(self) -> dict[str, str]:
        """The authorisation header."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def socket(self, session: str, kind: str, **query: int) -> str:
        """Address of a session's ``video``, ``audio`` or ``events`` socket."""
        address = f"ws{self.base.removeprefix('http')}{_SOCKETS}/{quote(session, safe='')}/{kind}"
        return f"{address}?{urlencode(query)}" if query else address

    def rest(self, *path: str) -> str:
        """Address below ``/api``."""
        return "/".join([f"{self.base}/api", *(quote(part, safe="") for part in path)])


def server_address(url: str | None = None, token: str | None = None) -> ServerAddress:
    """The arguments, else ``PROCTORING_URL`` and ``PROCTORING_TOKEN``, else port 8000 of this machine.

    Accepts ``ws``, ``wss``, ``http`` and ``https``, with or without the sockets' path. Raises
    ``SettingsError`` for anything else.
    """
    text = url or os.environ.get("PROCTORING_URL") or DEFAULT_URL
    parts = urlsplit(text)
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise SettingsError(
            f"cannot use the address {text!r}: expected ws://HOST:PORT or wss://HOST"
        )
    path = parts.path.rstrip("/").removesuffix(_SOCKETS)
    return ServerAddress(
        f"{_SCHEMES[parts.scheme]}://{parts.netloc}{path}",
        token or os.environ.get("PROCTORING_TOKEN") or None,
    )


async def ensure_session(address: ServerAddress, session: str, options: Mapping[str, Any]) -> None:
    """Create the session with these options unless it is open already.

    Raises:
        SettingsError: the server refuses the options.
        OSError: it cannot be reached, or cannot create the session now.
    """
    answer = await _request(
        address, "POST", address.rest("sessions"), {"session_id": session, **options}
    )
    _check(answer, expected=SessionExistsError.code)


async def last_seq(address: ServerAddress, session: str) -> int | None:
    """The number of the open session's last event; ``None`` if it is not open or not readable.

    Raises:
        OSError: the server cannot be reached, or cannot answer now.
    """
    answer = await _request(address, "GET", address.rest("sessions", session))
    error = _error(answer)
    if error is not None:
        if error.retryable:
            raise ConnectionError(str(error))
        return None
    try:
        return int(answer.json()["last_seq"])
    except (KeyError, TypeError, ValueError):
        return None


async def sitting_id(address: ServerAddress, session: str) -> str | None:
    """The id of the open session's record; ``None`` if it is not open or not readable.

    Raises:
        OSError: the server cannot be reached.
    """
    answer = await _request(address, "GET", address.rest("sessions", session))
    if not answer.is_success:
        return None
    try:
        return str(answer.json()["sitting_id"])
    except (KeyError, TypeError, ValueError):
        return None


async def is_fed(address: ServerAddress, session: str) -> bool | None:
    """Whether somebody sends media to the session; ``None`` if it is not open.

    Raises:
        OSError: the server cannot be reached, or does not say.
    """
    answer = await _request(address, "GET", address.rest("sessions", session))
    error = _error(answer)
    if error is not None:
        if error.code == UnknownSessionError.code:
            return None
        raise ConnectionError(str(error))
    try:
        found = answer.json()
        return bool(found["video"] or found["audio"])
    except (KeyError, TypeError, ValueError) as unreadable:
        raise ConnectionError("the server does not say what a session receives") from unreadable


async def refusal(address: ServerAddress) -> str:
    """Why the server begins no new session now; empty if it does, or does not say.

    Raises:
        OSError: the server cannot be reached.
    """
    answer = await _request(address, "GET", address.rest("health"))
    try:
        health = answer.json()
        if health["accepting"]:
            return ""
    except (KeyError, TypeError, ValueError):
        return ""
    return str(health.get("refusal") or "the server begins no new session now")


async def end_session(address: ServerAddress, session: str) -> None:
    """End the session now rather than after the server's grace period.

    Raises:
        SettingsError: the server refuses that.
        OSError: it cannot be reached, or cannot do it now.
    """
    answer = await _request(address, "DELETE", address.rest("sessions", session))
    _check(answer, expected=UnknownSessionError.code)


def _error(answer: httpx.Response) -> ServerError | None:
    if answer.is_success:
        return None
    return read_error(answer.status_code, answer.headers, answer.content)


def _check(answer: httpx.Response, *, expected: str) -> None:
    """Raise unless the answer is a success or the error with this code."""
    error = _error(answer)
    if error is None or error.code == expected:
        return
    if error.retryable:
        raise ConnectionError(str(error))
    raise SettingsError(str(error))


async def _request(
    address: ServerAddress, method: str, url: str, body: Mapping[str, Any] | None = None
) -> httpx.Response:
    try:
        async with httpx.AsyncClient(
            headers=address.headers, timeout=_TIMEOUT, verify=_certificates(address.base)
        ) as client:
            return await client.request(method, url, json=body)
    except httpx.HTTPError as error:
        raise ConnectionError(f"no answer from the server: {error!r}") from error


def _certificates(base: str) -> ssl.SSLContext | bool:
    """Root certificates, loaded once and only for TLS: loading takes a tenth of a second."""
    return _context() if base.startswith("https:") else False


@cache
def _context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
