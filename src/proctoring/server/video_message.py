"""Parses binary messages of the video socket: a JPEG, optionally after its capture time."""

from __future__ import annotations

from proctoring.errors import BadFrameError

_JPEG = b"\xff\xd8"
_STAMP_BYTES = 8


def read_video_message(message: bytes, max_bytes: int) -> tuple[bytes, int | None]:
    """The JPEG and its capture time in microseconds, or ``None``.

    Raises:
        BadFrameError: it contains no JPEG, or one of more than ``max_bytes``.
    """
    if len(message) > max_bytes + _STAMP_BYTES:
        raise BadFrameError(f"frame too large: {len(message)} bytes, at most {max_bytes}")
    if message.startswith(_JPEG):
        return message, None
    if message.startswith(_JPEG, _STAMP_BYTES):
        return message[_STAMP_BYTES:], int.from_bytes(message[:_STAMP_BYTES], "big")
    raise BadFrameError(
        "not a JPEG: FF D8 is neither at the beginning of the message nor after 8 bytes of time"
    )
