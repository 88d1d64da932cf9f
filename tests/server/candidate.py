"""Somebody before the camera, as a client shows them to a real server."""

from __future__ import annotations

import contextlib
from typing import Any

from tests.server.live import receive
from websockets.sync.client import ClientConnection


class Candidate:
    """Sends pictures, a tenth of a second of media apart, however fast they are looked at."""

    def __init__(self, video: ClientConnection) -> None:
        self._video = video
        self._time = 1_700_000_000_000_000

    def show(self, picture: bytes, seconds: float) -> list[Any]:
        """Show this picture for so long; what was observed, as the server tells it."""
        observed = []
        for _ in range(round(seconds * 10)):
            self._time += 100_000
            self._video.send(self._time.to_bytes(8, "big") + picture)
            observed += self._answers()
        return observed

    def _answers(self) -> list[Any]:
        """Wait until the picture was looked at; a server at a lower rate looks at fewer."""
        with contextlib.suppress(TimeoutError):
            while True:
                message = receive(self._video, timeout=0.3)
                if "observation" in message:
                    return [message["observation"]]
        return []
