"""One binary message of the video socket: a JPEG, perhaps with its capture time before it."""

from __future__ import annotations

from proctoring.errors import BadFrameError

_JPEG = b"\xff\xd8"
_STAMP_BYTES = 8


def read_video_message(message: bytes, max_bytes: int) -> tuple[bytes, int | None]:
    """The JPEG, and its capture time in microseconds if it has one.

    Raises:
        BadFrameError: no JPEG begins where one should, or it is larger than ``max_bytes``.
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
