"""Errors that the server answers with, and whether to retry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

_TEMPORARY = {408, 425, 429}
"""Statuses below 500 that pass by themselves (RFC 9110, 8470, 6585)."""
_MAX_RETRY_AFTER = 60.0
"""Seconds, at most, that ``Retry-After`` delays a retry: the candidate is not proctored meanwhile, and a
proxy may ask for hours."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """An HTTP answer that is an error, to a request or to a socket's handshake."""

    status: int
    code: str
    """The server's own (``docs/reference/errors.md``); empty if something on the way answered."""
    detail: str
    retryable: bool
    retry_after: float
    """Seconds to wait before a retry, at most ``_MAX_RETRY_AFTER``; 0 if the answer names none."""

    def __str__(self) -> str:
        text = f"the server answered {self.status}"
        return f"{text}: {self.detail}" if self.detail else text


def read_error(status: int, headers: Mapping[str, str], body: bytes | bytearray) -> ServerError:
    """Parse an error. One that is not the server's own, but a proxy's, is judged by its status."""
    retry_after = _retry_after(headers)
    try:
        error = json.loads(body)["error"]
        code, detail, retryable = str(error["code"]), str(error["detail"]), error["retryable"]
    except (ValueError, TypeError, KeyError):
        retryable = status >= 500 or status in _TEMPORARY
        return ServerError(status, "", "", retryable, retry_after)
    return ServerError(status, code, detail, retryable is True, retry_after)


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        seconds = headers.get("Retry-After", "")
    except LookupError:  # websockets refuses to choose if the header is repeated
        return 0.0
    return min(_MAX_RETRY_AFTER, float(seconds)) if seconds.isascii() and seconds.isdigit() else 0.0
