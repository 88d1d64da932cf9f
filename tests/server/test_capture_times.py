"""Senders of unusable capture times are told so, once a socket."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.server.live import Live, receive, receive_key

from proctoring.errors import BadCaptureTimesError
from proctoring.server.video_feed import VideoFeed
from proctoring.settings import Settings

EPOCH = 1_700_000_000_000_000
"""Microseconds."""


class Told(VideoFeed):
    """Keeps the errors instead of sending them."""

    def __init__(self) -> None:
        super().__init__(Settings(), observe=False, landmarks=False, now=lambda: 0.0)
        self.errors: list[BadCaptureTimesError] = []

    def error(self, error: Exception) -> None:
        assert isinstance(error, BadCaptureTimesError)
        self.errors.append(error)


def test_a_sender_of_milliseconds_is_told_once_and_a_sender_without_times_nothing() -> None:
    async def told(timed: bool) -> list[BadCaptureTimesError]:
        feed = Told()
        for n in range(600):
            feed.check_capture_time(EPOCH // 1000 + 100 * n if timed else None, n / 10)
        return feed.errors

    (error,) = asyncio.run(told(timed=True))
    assert "seem to be milliseconds" in error.detail
    assert asyncio.run(told(timed=False)) == []


@pytest.mark.parametrize(("start", "told"), [(EPOCH // 1000, True), (EPOCH + 20_000, False)])
def test_sound_with_a_start_on_another_clock(
    live: Live, session_id: str, face_jpeg: bytes, start: int, told: bool
) -> None:
    with live.socket(f"{session_id}/video?observe=1") as video:
        video.send(EPOCH.to_bytes(8, "big") + face_jpeg)
        receive_key(video, "observation")
        with live.socket(f"{session_id}/audio?start={start}") as audio:
            if told:
                assert receive(audio)["error"]["code"] == "bad_capture_times"
            else:
                with pytest.raises(TimeoutError):
                    audio.recv(timeout=0.1)


def test_reports_on_another_clock(live: Live, session_id: str, face_jpeg: bytes) -> None:
    with (
        live.socket(f"{session_id}/video?observe=1") as video,
        live.socket(f"{session_id}/browser") as browser,
    ):
        video.send(EPOCH.to_bytes(8, "big") + face_jpeg)
        receive_key(video, "observation")
        for n in range(3):
            browser.send(json.dumps({"capture_time": EPOCH // 1000 + n, "visible": True}))
        assert receive(browser)["error"]["code"] == "bad_capture_times"
        with pytest.raises(TimeoutError):
            browser.recv(timeout=0.1)
