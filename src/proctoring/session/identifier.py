"""Session ids."""

from __future__ import annotations

import re

from proctoring.errors import BadSessionIdError

SESSION_ID = r"^[A-Za-z0-9_\-:@~]([A-Za-z0-9_\-.:@~]{0,198}[A-Za-z0-9_\-:@~])?$"
"""1 to 200 letters, digits and ``_ - . : @ ~``, without a dot at either end.

HTTP clients remove the path segments ``.`` and ``..`` (RFC 3986, 5.2.4) and file systems trailing dots.
"""

_PATTERN = re.compile(SESSION_ID[:-1] + r"\Z")


def check_session_id(session_id: str) -> str:
    """Return the session id.

    Raises:
        BadSessionIdError: it is invalid.
    """
    if _PATTERN.match(session_id) is None:
        shown = session_id[:40] + ("..." if len(session_id) > 40 else "")
        raise BadSessionIdError(
            f"{shown!r} is no session id: 1 to 200 letters (a-z, A-Z), digits and _ - . : @ ~, "
            "without a dot at either end"
        )
    return session_id
