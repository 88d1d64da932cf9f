"""One message: a JPEG, perhaps stamped."""

from __future__ import annotations

import pytest

from proctoring.errors import BadFrameError
from proctoring.server.video_message import read_video_message

JPEG = b"\xff\xd8 and so on"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (JPEG, (JPEG, None)),
        ((5).to_bytes(8, "big") + JPEG, (JPEG, 5)),
        (b"\xff" * 8 + JPEG, (JPEG, 2**64 - 1)),
        # Begins FF D8, so it has no time, whatever follows.
        (b"\xff\xd8" + bytes(6) + JPEG, (b"\xff\xd8" + bytes(6) + JPEG, None)),
    ],
)
def test_good_messages(message: bytes, expected: tuple[bytes, int | None]) -> None:
    assert read_video_message(message, 1000) == expected


@pytest.mark.parametrize("message", [b"", b"\xff", bytes(8), bytes(8) + b"\xff", bytes(7) + JPEG])
def test_messages_in_which_no_jpeg_begins(message: bytes) -> None:
    with pytest.raises(BadFrameError, match="not a JPEG"):
        read_video_message(message, 1000)


def test_a_frame_may_be_as_large_as_allowed_with_or_without_its_stamp() -> None:
    jpeg = b"\xff\xd8" + bytes(998)
    assert read_video_message(bytes(8) + jpeg, 1000) == (jpeg, 0)
    with pytest.raises(BadFrameError, match="too large: 1009 bytes"):
        read_video_message(jpeg + bytes(9), 1000)
