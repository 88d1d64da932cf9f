"""The default session id of a participant."""

from __future__ import annotations

import hashlib
import string

_PLAIN = frozenset(string.ascii_letters + string.digits + "_-.:@")
_MAX_LENGTH = 200
"""Characters of a session id that the server accepts, and which ones."""


def session_id(room: str, identity: str) -> str:
    """``ROOM:IDENTITY`` in the characters that the server accepts, unique per pair.

    Other characters become ``~`` and the two hexadecimal digits of each of their UTF-8 bytes, as does
    a colon in the room's name and a dot at either end, so that the first colon always separates the two.
    Longer ids are cut to 200 characters and end in a digest of the whole.
    """
    whole = f"{_escape(room).replace(':', '~3a')}:{_escape(identity)}"
    if whole.startswith("."):
        whole = "~2e" + whole[1:]
    if whole.endswith("."):
        whole = whole[:-1] + "~2e"
    if len(whole) <= _MAX_LENGTH:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:32]
    return f"{whole[: _MAX_LENGTH - len(digest) - 2]}~.{digest}"


def _escape(text: str) -> str:
    return "".join(
        letter if letter in _PLAIN else "".join(f"~{byte:02x}" for byte in letter.encode())
        for letter in text
    )
