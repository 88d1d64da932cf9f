"""Audio on its way to the server: nothing is dropped until 30 s are waiting."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SAMPLE_RATE = 16_000
"""Samples per second, mono, 16 bit: what the server's audio socket takes."""
_SAMPLE_BYTES = 2
_RESEND_SECONDS = 5.0
"""Audio just sent that is kept, in case a server that goes on with the session does not have it: what
was in flight, and what came after the state was written that it continues from (every 2 s, and the time
to write it). The server skips what it already has."""
_ROUNDING = 1e-6
"""Seconds."""
_MAX_DRIFT = 0.5
"""Seconds by which counted samples may lag behind or lead arrival before a new segment begins."""
_DRIFT_CHUNKS = 100
"""Chunks (10 s) over which the smallest deviation counts: one late burst is no drift."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Contiguous audio."""

    segment: int
    """Chunks of one segment are contiguous; a new segment starts at its own time."""
    capture_us: int
    """Capture time of the first sample, microseconds since 1970."""
    samples: bytes
    """Signed 16 bit little-endian."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / (_SAMPLE_BYTES * SAMPLE_RATE)


class OutgoingAudioBuffer:
    """Buffers the last ``limit`` seconds of unsent audio, with capture times.

    Within a segment, time is counted in samples, as the server counts it. A segment ends where the
    stream ends, and where the sample clock has drifted from the clock of arrival.
    """

    def __init__(self, limit: float = 30.0) -> None:
        self._limit = limit
        self._chunks: deque[AudioChunk] = deque()
        self._sent: deque[AudioChunk] = deque()
        self._waiting = 0.0
        self._segment = 0
        self._next_us: int | None = None
        self._deviations: deque[float] = deque(maxlen=_DRIFT_CHUNKS)
        self.lost_seconds = 0.0
        """Audio that was dropped, oldest first, because too much was waiting."""

    @property
    def waiting_seconds(self) -> float:
        """Unsent audio."""
        return self._waiting

    def end_segment(self) -> None:
        """The next audio is not contiguous with the last: another track, or after a pause."""
        self._next_us = None

    def push(self, samples: bytes, arrived_us: int) -> None:
        """Append audio whose last sample arrived at this time, microseconds since 1970."""
        begun = arrived_us - round(len(samples) / (_SAMPLE_BYTES * SAMPLE_RATE) * 1e6)
        if self._next_us is None or self._drifted((begun - self._next_us) / 1e6):
            self._segment += 1
            self._next_us = begun
            self._deviations.clear()
        chunk = AudioChunk(self._segment, self._next_us, samples)
        self._next_us += round(chunk.seconds * 1e6)
        self._chunks.append(chunk)
        self._waiting += chunk.seconds
        while self._waiting > self._limit and len(self._chunks) > 1:
            self.lost_seconds += self._drop().seconds

    def peek(self) -> AudioChunk | None:
        """The oldest unsent chunk."""
        return self._chunks[0] if self._chunks else None

    def pop(self) -> AudioChunk:
        """Remove the oldest unsent chunk, as sent. Raises ``IndexError`` when there is none."""
        chunk = self._drop()
        self._sent.append(chunk)
        while sum(each.seconds for each in self._sent) > _RESEND_SECONDS + _ROUNDING:
            self._sent.popleft()
        return chunk

    def requeue_sent(self) -> float:
        """Mark the audio sent last as unsent: it may not have arrived. Returns its seconds."""
        seconds = sum(each.seconds for each in self._sent)
        self._chunks.extendleft(reversed(self._sent))
        self._waiting += seconds
        self._sent.clear()
        return seconds

    def _drop(self) -> AudioChunk:
        chunk = self._chunks.popleft()
        self._waiting = max(0.0, self._waiting - chunk.seconds) if self._chunks else 0.0
        return chunk

    def _drifted(self, deviation: float) -> bool:
        self._deviations.append(deviation)
        if len(self._deviations) < _DRIFT_CHUNKS:
            return False
        return min(self._deviations) > _MAX_DRIFT or max(self._deviations) < -_MAX_DRIFT
