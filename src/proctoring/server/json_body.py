"""Limits of JSON bodies, checked before they are parsed.

A body of 8 MiB may hold a recording, which is one string; as millions of lists, or nested a thousand
deep, it would occupy the event loop for many seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from proctoring.errors import BadRequestError, InvalidRequestError

MAX_DEPTH = 16
"""Levels of nested objects and lists; the deepest body of this interface has five."""
MAX_PARTS = 5000
"""Brackets, colons and commas; a session with every accommodation has about 1,000."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}:,]', re.DOTALL)


def check_json(body: bytes) -> None:
    """Check the encoding, depth and number of parts of a JSON text, in linear time.

    Raises:
        InvalidRequestError: it exceeds a limit, or is not UTF-8.
    """
    # RFC 8259, 8.1. The parser would accept UTF-16, in which this scan finds no strings.
    if not json.detect_encoding(body).startswith("utf-8"):
        raise InvalidRequestError("body: JSON must be UTF-8")
    depth = parts = 0
    for token in _TOKEN.finditer(body):
        mark = token.group()[:1]
        if mark == b'"':
            continue
        parts += 1
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise InvalidRequestError(f"body: nested deeper than {MAX_DEPTH} levels")
        if parts > MAX_PARTS:
            raise InvalidRequestError(f"body: more than {MAX_PARTS} brackets, colons and commas")


class BoundedRoute(APIRoute):
    """A route whose JSON body is checked before it is parsed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, preceded by ``check_json``."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if self.body_field is not None:
                try:
                    check_json(await request.body())
                except ClientDisconnect as error:  # nobody reads the answer; it keeps the log clean
                    raise BadRequestError("the body is incomplete") from error
            return await handle(request)

        return checked
