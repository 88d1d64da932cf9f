"""A microphone's track to the server's audio socket: 16 kHz mono, without gaps."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from livekit import rtc
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.outgoing_audio import SAMPLE_RATE, OutgoingAudioBuffer
from proctoring.livekit.reconnecting_socket import until_first

_CHUNK_MS = 100
"""Length of the chunks that LiveKit's resampler returns."""
_CLOSE_TIMEOUT = 5.0
"""Seconds to wait for a stream of LiveKit to close."""


class AudioForwarder:
    """Reads one track at a time into a bounded buffer, and sends from there in order."""

    def __init__(self, clock: CaptureClock) -> None:
        self.buffer = OutgoingAudioBuffer()
        self.sent_seconds = 0.0
        self.last_error = ""
        """The latest error that the server sent on this socket."""
        self._clock = clock
        self._arrived = asyncio.Event()

    async def read(self, track: rtc.Track) -> None:
        """Read the track until it ends or this is cancelled; always closes the stream."""
        stream = rtc.AudioStream(
            track, sample_rate=SAMPLE_RATE, num_channels=1, frame_size_ms=_CHUNK_MS
        )
        self.buffer.end_segment()
        try:
            async for event in stream:
                self.buffer.push(bytes(event.frame.data), self._clock.now())
                self._arrived.set()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await stream.aclose()

    async def wait_for_audio(self) -> None:
        """Wait until there is audio to send, whose capture time is the socket's ``?start=``."""
        while self.buffer.peek() is None:
            self._arrived.clear()
            await self._arrived.wait()

    @property
    def start_us(self) -> int:
        """Capture time of the oldest unsent audio, microseconds: the socket's ``?start=``."""
        oldest = self.buffer.peek()
        return oldest.capture_us if oldest else self._clock.now()

    async def run(self, socket: ClientConnection) -> None:
        """Send until the socket closes, or until a new segment needs a socket of its own."""
        try:
            await until_first(self._send(socket), self._receive(socket))
        except ConnectionClosed:
            self.sent_seconds -= self.buffer.requeue_sent()
            raise

    async def _send(self, socket: ClientConnection) -> None:
        segment: int | None = None
        while True:
            chunk = self.buffer.peek()
            if chunk is None:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            if segment is not None and chunk.segment != segment:
                return
            segment = chunk.segment
            await socket.send(chunk.samples)
            self.sent_seconds += chunk.seconds
            # Removed only now, so that a chunk that could not be sent is kept; an overflow of the
            # buffer may have dropped it meanwhile.
            if self.buffer.peek() is chunk:
                self.buffer.pop()

    async def _receive(self, socket: ClientConnection) -> None:
        while True:
            message = json.loads(await socket.recv())
            if error := message.get("error"):
                self.last_error = f"{error.get('code')}: {error.get('detail')}"
