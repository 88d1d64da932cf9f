"""Sound on its way to the server: nothing is dropped until 30 s wait."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

RATE = 16_000
"""Samples per second, mono, 16 bit: what the server takes (contract 1.1)."""
_SAMPLE_BYTES = 2
_TAIL = 2.0
"""Seconds of sound just sent that are kept, for what was on its way when a connection was lost: more
than fits into the buffers of a socket. The server skips what it has heard."""
_DRIFT = 0.5
"""Seconds by which counted samples may lag behind or run ahead of arrival before a new run begins."""
_DRIFT_WINDOW = 100
"""Chunks (10 s) over which the smallest deviation counts: one late burst is not drift."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of sound without a gap inside."""

    run: int
    """Chunks of one run follow each other without a gap; a new run starts at its own time."""
    capture_us: int
    """When its first sample was captured, microseconds."""
    samples: bytes
    """Signed 16 bit little-endian."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / (_SAMPLE_BYTES * RATE)


class SoundBuffer:
    """Keeps what is not yet sent, the last ``limit`` seconds at most, and knows when it was captured.

    Within a run time is counted in samples, as the server counts it. A run ends where the stream
    ends, and where the two clocks have drifted apart.
    """

    def __init__(self, limit: float = 30.0) -> None:
        self._limit = limit
        self._chunks: deque[Chunk] = deque()
        self._tail: deque[Chunk] = deque()
        self._waiting = 0.0
        self._run = 0
        self._next_us: int | None = None
        self._deviations: deque[float] = deque(maxlen=_DRIFT_WINDOW)
        self.lost_seconds = 0.0
        """Sound that waited too long and was dropped, oldest first."""

    @property
    def waiting_seconds(self) -> float:
        """Sound that is kept and not yet sent."""
        return self._waiting

    def break_run(self) -> None:
        """What comes next does not follow on what came before: another track, or after a pause."""
        self._next_us = None

    def push(self, samples: bytes, arrived_us: int) -> None:
        """Add sound whose last sample has just arrived."""
        begun = arrived_us - round(len(samples) / (_SAMPLE_BYTES * RATE) * 1e6)
        if self._next_us is None or self._drifted((begun - self._next_us) / 1e6):
            self._run += 1
            self._next_us = begun
            self._deviations.clear()
        chunk = Chunk(self._run, self._next_us, samples)
        self._next_us += round(chunk.seconds * 1e6)
        self._chunks.append(chunk)
        self._waiting += chunk.seconds
        while self._waiting > self._limit and len(self._chunks) > 1:
            self.lost_seconds += self._drop().seconds

    def peek(self) -> Chunk | None:
        """The oldest waiting chunk."""
        return self._chunks[0] if self._chunks else None

    def pop(self) -> Chunk:
        """Take the oldest waiting chunk, as sent. Raises ``IndexError`` when none waits."""
        chunk = self._drop()
        if self._tail and self._tail[-1].run != chunk.run:
            self._tail.clear()
        self._tail.append(chunk)
        while sum(each.seconds for each in self._tail) > _TAIL + 1e-6:
            self._tail.popleft()
        return chunk

    def rewind(self) -> float:
        """What was sent last may not have arrived: let it wait again. How many seconds of it."""
        seconds = sum(each.seconds for each in self._tail)
        self._chunks.extendleft(reversed(self._tail))
        self._waiting += seconds
        self._tail.clear()
        return seconds

    def _drop(self) -> Chunk:
        chunk = self._chunks.popleft()
        self._waiting = max(0.0, self._waiting - chunk.seconds) if self._chunks else 0.0
        return chunk

    def _drifted(self, deviation: float) -> bool:
        self._deviations.append(deviation)
        if len(self._deviations) < _DRIFT_WINDOW:
            return False
        return min(self._deviations) > _DRIFT or max(self._deviations) < -_DRIFT
