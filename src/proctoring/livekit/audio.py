"""A microphone's track to the server's audio socket: 16 kHz mono, without a gap."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from livekit import rtc
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.link import until_first
from proctoring.livekit.sound import RATE, SoundBuffer

_CHUNK_MS = 100


class AudioForwarder:
    """Reads one track at a time into a bounded buffer, and sends from there in order."""

    def __init__(self, clock: CaptureClock) -> None:
        self.buffer = SoundBuffer()
        self.sent_seconds = 0.0
        self.last_error = ""
        """The latest error that the server told on this socket."""
        self._clock = clock
        self._arrived = asyncio.Event()

    async def read(self, track: rtc.Track) -> None:
        """Take the track's sound until it ends or this is cancelled; always closes the stream."""
        stream = rtc.AudioStream(
            track, sample_rate=RATE, num_channels=1, frame_size_ms=_CHUNK_MS
        )  # fmt: skip
        self.buffer.break_run()
        try:
            async for event in stream:
                self.buffer.push(bytes(event.frame.data), self._clock.now())
                self._arrived.set()
        finally:
            with suppress(TimeoutError):
                await asyncio.wait_for(stream.aclose(), 5)

    async def ready(self) -> None:
        """Wait until there is sound to send: a socket opened before would not know its start."""
        while self.buffer.peek() is None:
            self._arrived.clear()
            await self._arrived.wait()

    @property
    def start_us(self) -> int:
        """When the oldest waiting sound was captured: what ``?start=`` tells the server."""
        oldest = self.buffer.peek()
        return oldest.capture_us if oldest else self._clock.now()

    async def talk(self, socket: ClientConnection) -> None:
        """Send sound until the socket closes, or until a new run asks for a socket of its own."""
        try:
            await until_first(self._send(socket), self._heed(socket))
        except ConnectionClosed:
            self.sent_seconds -= self.buffer.rewind()
            raise

    async def _send(self, socket: ClientConnection) -> None:
        run: int | None = None
        while True:
            chunk = self.buffer.peek()
            if chunk is None:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            if run is not None and chunk.run != run:
                return
            run = chunk.run
            await socket.send(chunk.samples)
            self.sent_seconds += chunk.seconds
            # Only now, so that what could not be sent is still there; it may be gone by itself if
            # the buffer overflowed meanwhile.
            if self.buffer.peek() is chunk:
                self.buffer.pop()

    async def _heed(self, socket: ClientConnection) -> None:
        while True:
            message = json.loads(await socket.recv())
            if error := message.get("error"):
                self.last_error = f"{error.get('code')}: {error.get('detail')}"
