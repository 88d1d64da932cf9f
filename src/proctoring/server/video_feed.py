"""The way back of one video socket: observations, errors, how fast to send."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket

from proctoring.errors import BadFrameError
from proctoring.server.closing import (
    REPLACED,
    SESSION_ENDED,
    TOO_MANY_BAD_FRAMES,
    Farewell,
    error_text,
)
from proctoring.server.observation_json import observation_text
from proctoring.session.session import Arrival
from proctoring.settings import Settings
from proctoring.vision.analyser import FACE_RATE, FrameAnalysis

MAX_BAD_FRAMES = 20
"""Frames in a row that cannot be used, after which the socket is closed (contract 1.1)."""

MAX_WAITING = 32
"""Messages of each kind that may wait for a client that does not read; the oldest go."""


class VideoFeed:
    """What goes out on one video socket. Made and used on the event loop, but for what ``Reply``
    says, which comes from the pool's threads.

    Args:
        observe: whether the client wants observations.
        landmarks: whether those carry landmarks.
        now: the clock that arrivals are stamped with.
    """

    def __init__(
        self, settings: Settings, *, observe: bool, landmarks: bool, now: Callable[[], float]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._observe = observe
        self._landmarks = landmarks
        self._now = now
        self._news = asyncio.Event()
        self._notices: deque[str] = deque(maxlen=MAX_WAITING)
        self._observations: deque[str] = deque(maxlen=MAX_WAITING)
        self._flow: str | None = None
        self._bad_in_row = 0
        self.farewell = Farewell()

    # Source: called on the event loop.

    def flow(self, rate: float) -> None:
        """Say how fast to send."""
        flow = {
            "frames_per_second": round(FACE_RATE * rate, 1),
            "max_width": self._settings.frame_width,
            "max_height": self._settings.frame_height,
        }
        self._flow = json.dumps({"flow": flow})
        self._news.set()

    def replaced(self) -> None:
        """A newer socket took over."""
        self.error("replaced", "a newer video socket of this session took over")
        self.close(REPLACED, "replaced by a newer video socket")

    def ended(self, detail: str) -> None:
        """The session is over."""
        self.close(SESSION_ENDED, f"session ended: {detail}")

    # Reply: called from the pool's threads.

    def analysed(self, arrival: Arrival, analysis: FrameAnalysis, decode_ms: float) -> None:
        """The frame was looked at."""
        text = None
        if self._observe:
            text = observation_text(
                arrival,
                analysis,
                decode_ms=decode_ms,
                latency_ms=(self._now() - arrival.arrived) * 1000,
                landmarks=self._landmarks,
            )
        self._call(self._good_frame, text)

    def refused(self, error: BadFrameError) -> None:
        """The frame could not be used."""
        self._call(self.bad_frame, error)

    def failed(self) -> None:
        """The analysis failed."""
        self._call(self.error, "analysis_failed", "the frame could not be analysed")

    # On the event loop.

    def bad_frame(self, error: BadFrameError) -> None:
        """Say what is wrong with a frame; close the socket if too many in a row were bad."""
        self.error(error.code, error.detail)
        self._bad_in_row += 1
        if self._bad_in_row >= MAX_BAD_FRAMES:
            reason = f"{MAX_BAD_FRAMES} frames in a row could not be used"
            self.error("too_many_bad_frames", reason)
            self.close(TOO_MANY_BAD_FRAMES, reason)

    def error(self, code: str, detail: str) -> None:
        """Say an error."""
        if not self.farewell.said:
            self._notices.append(error_text(code, detail))
            self._news.set()

    def close(self, code: int, reason: str) -> None:
        """Close the socket once what waits is sent. The first reason stands."""
        self.farewell.say(code, reason)
        self._news.set()

    async def send(self, socket: WebSocket) -> None:
        """Send what comes, until the socket is to be closed."""
        while True:
            await self._news.wait()
            self._news.clear()
            for text in self._take():
                await socket.send_text(text)
            if self.farewell.said:
                return

    def _take(self) -> list[str]:
        texts = [] if self._flow is None else [self._flow]
        self._flow = None
        texts += self._observations
        texts += self._notices
        self._observations.clear()
        self._notices.clear()
        return texts

    def _good_frame(self, text: str | None) -> None:
        self._bad_in_row = 0
        if text is not None:
            self._observations.append(text)
            self._news.set()

    def _call(self, function: Callable[..., object], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody listens any more
            self._loop.call_soon_threadsafe(function, *args)
