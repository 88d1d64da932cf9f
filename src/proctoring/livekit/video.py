"""A camera's track to the server's video socket: the newest frame only, at the server's rate."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from livekit import rtc
from websockets.asyncio.client import ClientConnection

from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.link import until_first
from proctoring.livekit.pace import Pace
from proctoring.livekit.picture import encode_i420

logger = logging.getLogger("proctoring.livekit")

_CAPTURE_TIME = struct.Struct(">Q")
_QUARTER = 90
"""Degrees clockwise per step of LiveKit's enumeration of rotations."""
_SMALLEST = 32
"""Pixels a side. What is smaller is no picture of a camera: a muted track leaves one of 8 x 8."""


@dataclass(slots=True)
class Flow:
    """What the server wants to be sent."""

    frames_per_second: float = 10.0
    max_width: int = 640
    max_height: int = 480


@dataclass(slots=True)
class FrameCounts:
    """What became of a session's frames."""

    received: int = 0
    """From LiveKit."""
    skipped: int = 0
    """Beyond the rate that the server wants."""
    blank: int = 0
    """Too small to be a picture, as a muted track sends one."""
    replaced: int = 0
    """By a newer frame, while the one before was being encoded or sent."""
    disconnected: int = 0
    """Came while the server was out of reach."""
    failed: int = 0
    """Could not be encoded."""
    forwarded: int = 0
    rejected: int = 0
    """Errors that the server told, one per bad frame."""


class VideoForwarder:
    """Reads one track at a time into a place for one frame, and sends from there."""

    def __init__(self, clock: CaptureClock) -> None:
        self.flow = Flow()
        self.counts = FrameCounts()
        self.last_error = ""
        """The latest error that the server told on this socket."""
        self._clock = clock
        self._pace = Pace(self.flow.frames_per_second)
        self._newest: tuple[int, rtc.VideoFrameEvent] | None = None
        self._arrived = asyncio.Event()
        self._connected = False

    async def read(self, track: rtc.Track) -> None:
        """Take the track's frames until it ends or this is cancelled; always closes the stream."""
        # I420 is what decoders give; asked for by name, hardware decoders convert. Capacity 1:
        # what the event loop had no time for is gone rather than queued.
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.I420, capacity=1)
        try:
            async for event in stream:
                self.take(event)
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(stream.aclose(), 5)

    async def talk(self, socket: ClientConnection) -> None:
        """Send frames and heed what the server tells, until the socket closes."""
        self._newest = None
        self._arrived.clear()
        self._connected = True
        try:
            await until_first(self._send(socket), self._heed(socket))
        finally:
            self._connected = False

    def take(self, event: rtc.VideoFrameEvent) -> None:
        """Send this frame if it is due, in the place of one that still waits."""
        self.counts.received += 1
        if not self._connected:
            self.counts.disconnected += 1
            return
        if min(event.frame.width, event.frame.height) < _SMALLEST:
            self.counts.blank += 1
            return
        capture_us = self._clock.of_frame(event.timestamp_us)
        if not self._pace.takes(capture_us):
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
            rotation=_QUARTER * cast(int, event.rotation),
            max_width=self.flow.max_width,
            max_height=self.flow.max_height,
        )

    async def _heed(self, socket: ClientConnection) -> None:
        while True:
            message = json.loads(await socket.recv())
            if flow := message.get("flow"):
                self._adapt(flow)
            if error := message.get("error"):
                self.counts.rejected += 1
                self.last_error = f"{error.get('code')}: {error.get('detail')}"

    def _adapt(self, flow: dict[str, float]) -> None:
        self.flow = Flow(
            frames_per_second=max(0.1, float(flow["frames_per_second"])),
            max_width=max(16, int(flow["max_width"])),
            max_height=max(16, int(flow["max_height"])),
        )
        self._pace.set_rate(self.flow.frames_per_second)
