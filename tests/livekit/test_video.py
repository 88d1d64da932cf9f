from __future__ import annotations

import asyncio
import json
from typing import cast

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosedOK

from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.video import VideoForwarder


class Scripted:
    """A socket that receives these errors and is closed then."""

    def __init__(self, *codes: str) -> None:
        self._codes = list(codes)

    async def recv(self) -> str:
        if not self._codes:
            raise ConnectionClosedOK(None, None)
        return json.dumps({"error": {"code": self._codes.pop(0), "detail": "why"}})


def test_only_errors_about_frames_count_as_rejected_frames() -> None:
    forwarder = VideoForwarder(CaptureClock())
    socket = Scripted("bad_frame", "too_many_frames", "analysis_failed", "replaced", "ended")
    with pytest.raises(ConnectionClosedOK):
        asyncio.run(forwarder.run(cast(ClientConnection, socket)))
    assert forwarder.counts.rejected == 3
    assert forwarder.last_error == "ended: why"
