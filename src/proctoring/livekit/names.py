"""From a room and an identity to the name of a session of the server."""

from __future__ import annotations

import hashlib
import string

_PLAIN = frozenset(string.ascii_letters + string.digits + "_-.:@")
_LONGEST = 200


def session_id(room: str, identity: str) -> str:
    """``ROOM:IDENTITY`` in the letters that the server allows (contract 1.1), never the same for two.

    Other characters become ``~`` and the two hexadecimal digits of each of their UTF-8 bytes; the
    colon inside a room's name too, so that the first colon always ends it. What would be longer
    than 200 characters is cut and ends in a digest of the whole.
    """
    whole = f"{_escape(room).replace(':', '~3a')}:{_escape(identity)}"
    if len(whole) <= _LONGEST:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:32]
    return f"{whole[: _LONGEST - len(digest) - 2]}~.{digest}"


def _escape(text: str) -> str:
    return "".join(
        letter if letter in _PLAIN else "".join(f"~{byte:02x}" for byte in letter.encode())
        for letter in text
    )
