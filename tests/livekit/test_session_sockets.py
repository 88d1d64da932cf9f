"""The three sockets of one session."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from proctoring.livekit.address import ServerAddress
from proctoring.livekit.session_sockets import SessionSockets


def unserved_address() -> ServerAddress:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    return ServerAddress(f"http://127.0.0.1:{port}", "")


@pytest.mark.parametrize("steps", range(8))
def test_a_video_socket_that_is_cancelled_as_the_events_socket_opens_ends(steps: int) -> None:
    async def scenario() -> None:
        part = cast(Any, SimpleNamespace(run=None))
        sockets = SessionSockets(
            unserved_address(), "exam-1", {}, video=part, audio=part, listener=part
        )
        sockets.events.opened.set()
        running = asyncio.create_task(sockets.video.run())
        for _ in range(steps):
            await asyncio.sleep(0)
        running.cancel()
        done, _ = await asyncio.wait([running], timeout=10)
        assert done
        assert running.cancelled()

    asyncio.run(scenario())
