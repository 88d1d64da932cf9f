"""A camera's track to the server's video socket: the newest frame only, at the server's rate."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from livekit import rtc
from websockets.asyncio.client import ClientConnection

from proctoring.errors import AnalysisFailedError, BadFrameError, TooManyFramesError
from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.frame_rate import FrameRateLimiter
from proctoring.livekit.picture import encode_i420
from proctoring.livekit.reconnecting_socket import until_first

logger = logging.getLogger("proctoring.livekit")

_CAPTURE_TIME = struct.Struct(">Q")
"""Precedes the JPEG in a message: microseconds since 1970."""
_DEGREES_PER_ROTATION = 90
"""Clockwise, per step of LiveKit's enumeration of rotations."""
_MIN_SIDE = 32
"""Pixels. A muted track sends frames of 8 x 8; no camera's frame is smaller than this."""
_MIN_FRAMES_PER_SECOND = 0.1
_MIN_REQUESTED_SIDE = 16
"""Lower bounds of what the server can request."""
_CLOSE_TIMEOUT = 5.0
"""Seconds to wait for a stream of LiveKit to close."""
_ABOUT_FRAMES = {error.code for error in (BadFrameError, TooManyFramesError, AnalysisFailedError)}
"""Errors about a frame; any other is about the socket, which then closes."""


@dataclass(slots=True)
class Flow:
    """Rate and size of frames that the server requests (its ``flow`` message)."""

    frames_per_second: float = 10.0
    max_width: int = 640
    max_height: int = 480
    reason: str = ""
    """Why the rate is below the full one: ``overload`` or ``frame_cost``; empty: it is not."""


@dataclass(slots=True)
class FrameCounts:
    """Frames of a session, by outcome."""

    received: int = 0
    """From LiveKit."""
    skipped: int = 0
    """Beyond the requested rate."""
    blank: int = 0
    """Too small for a camera's frame: the track is muted."""
    replaced: int = 0
    """By a newer frame, while the one before was being encoded or sent."""
    disconnected: int = 0
    """While the server was out of reach."""
    failed: int = 0
    """Could not be encoded."""
    forwarded: int = 0
    """Sent to the server."""
    rejected: int = 0
    """Errors about frames that the server sent."""


class VideoForwarder:
    """Reads one track at a time into a slot for one frame, and sends from there."""

    def __init__(self, clock: CaptureClock) -> None:
        self.flow = Flow()
        self.counts = FrameCounts()
        self.last_error = ""
        """The latest error that the server sent on this socket."""
        self._clock = clock
        self._limiter = FrameRateLimiter(self.flow.frames_per_second)
        self._newest: tuple[int, rtc.VideoFrameEvent] | None = None
        self._arrived = asyncio.Event()
        self._connected = False

    async def read(self, track: rtc.Track) -> None:
        """Read the track until it ends or this is cancelled; always closes the stream."""
        # Decoders return I420; requested by name, hardware decoders convert. Capacity 1: frames that
        # the event loop has no time for are dropped rather than queued.
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420, capacity=1)
        try:
            async for event in stream:
                self.push(event)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await stream.aclose()

    async def run(self, socket: ClientConnection) -> None:
        """Send frames and obey the server's messages until the socket closes."""
        self._newest = None
        self._arrived.clear()
        self._connected = True
        try:
            await until_first(self._send(socket), self._receive(socket))
        finally:
            self._connected = False

    def push(self, event: rtc.VideoFrameEvent) -> None:
        """Put this frame into the slot if it is due, replacing one that still waits there."""
        self.counts.received += 1
        if not self._connected:
            self.counts.disconnected += 1
            return
        if min(event.frame.width, event.frame.height) < _MIN_SIDE:
            self.counts.blank += 1
            return
        capture_us = self._clock.frame_time(event.timestamp_us)
        if not self._limiter.accept(capture_us):
            self.counts.skipped += 1
            return
        if self._newest is not None:
            self.counts.replaced += 1
        self._newest = (capture_us, event)
        self._arrived.set()

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if self._newest is None:
                continue
            (capture_us, event), self._newest = self._newest, None
            try:
                jpeg = await asyncio.to_thread(self._encode, event)
            except ValueError as error:
                self.counts.failed += 1
                logger.warning("a frame could not be encoded: %s", error)
                continue
            await socket.send(_CAPTURE_TIME.pack(capture_us) + jpeg)
            self.counts.forwarded += 1

    def _encode(self, event: rtc.VideoFrameEvent) -> bytes:
        frame = event.frame
        return encode_i420(
            frame.data,
            frame.width,
            frame.height,
            rotation=_DEGREES_PER_ROTATION * cast(int, event.rotation),
            max_width=self.flow.max_width,
            max_height=self.flow.max_height,
        )

    async def _receive(self, socket: ClientConnection) -> None:
        while True:
            message = json.loads(await socket.recv())
            if flow := message.get("flow"):
                self._apply(flow)
            if error := message.get("error"):
                self.counts.rejected += error.get("code") in _ABOUT_FRAMES
                self.last_error = f"{error.get('code')}: {error.get('detail')}"

    def _apply(self, flow: dict[str, Any]) -> None:
        self.flow = Flow(
            frames_per_second=max(_MIN_FRAMES_PER_SECOND, float(flow["frames_per_second"])),
            max_width=max(_MIN_REQUESTED_SIDE, int(flow["max_width"])),
            max_height=max(_MIN_REQUESTED_SIDE, int(flow["max_height"])),
            reason=str(flow.get("reason", "")),
        )
        self._limiter.set_rate(self.flow.frames_per_second)
