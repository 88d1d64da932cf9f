"""The cookie in which a browser keeps a token, so that a reload or another page of ours need not ask again.

Scripts cannot read it (``HttpOnly``), pages of other sites cannot send it (``SameSite=Strict``). A page of
another port or subdomain is of the same site; so a request counts as ours only if the browser says that it
comes from our own origin, and what changes anything, or opens a socket, must name that origin.
"""

from __future__ import annotations

import math
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

NAME = "proctoring_token"
LONGEST = 8 * 3600
"""Seconds that a browser keeps it, at most: a working day."""
_READS = ("GET", "HEAD")
_OURS = (None, "same-origin", "none")
"""``Sec-Fetch-Site`` of requests of our own pages and of what a person entered; old browsers send none."""


def cookie_token(scope: Scope) -> str | None:
    """The token in a request's cookie; ``None`` if it has none, or may come from a page that is not ours."""
    headers = Headers(scope=scope)
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(NAME)
    except CookieError:
        return None
    return (
        morsel.value if morsel is not None and morsel.value and _is_ours(scope, headers) else None
    )


def _is_ours(scope: Scope, headers: Headers) -> bool:
    if headers.get("sec-fetch-site") not in _OURS:
        return False
    if scope["type"] == "http" and scope["method"] in _READS:
        return True
    try:
        origin = urlsplit(headers.get("origin", "")).netloc
    except ValueError:
        return False
    return origin != "" and origin.lower() == headers.get("host", "").lower()


def set_token(response: Response, token: str, seconds: float, *, path: str, secure: bool) -> None:
    """Let the browser keep a token for so many seconds, at most ``LONGEST``."""
    age = max(0, math.floor(min(seconds, LONGEST)))
    response.set_cookie(
        NAME, token, max_age=age, path=path, secure=secure, httponly=True, samesite="strict"
    )


def remove_token(response: Response, *, path: str, secure: bool) -> None:
    """Let the browser forget the token."""
    response.delete_cookie(NAME, path=path, secure=secure, httponly=True, samesite="strict")
