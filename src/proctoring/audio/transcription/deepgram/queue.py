"""What the session's thread and the connection's threads share, under one lock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.observations import TranscriptObservation

FINALIZE = "finalize"
"""Queue item: request transcripts of everything sent so far."""
_ROUNDING = 1e-3
"""Seconds by which Deepgram's rounded times may fall short of a piece's end."""


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """Audio to send."""

    time: float
    """Media time of the first sample, in seconds."""
    data: bytes
    """16 bit little-endian samples at 16 kHz."""

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.data) // 2

    @property
    def end(self) -> float:
        """Media time of the end, in seconds."""
        return self.time + self.samples / SAMPLE_RATE


@dataclass(slots=True, eq=False)
class TranscriptionQueue:
    """Audio on its way to Deepgram, and transcripts on their way back. Thread-safe."""

    settings: DeepgramSettings
    changed: threading.Condition = field(default_factory=threading.Condition)
    waiting: deque[AudioPiece | str] = field(default_factory=deque)
    """Audio to send, and ``FINALIZE`` where transcripts are requested."""
    unconfirmed: deque[AudioPiece] = field(default_factory=deque)
    """Audio that was sent and is not yet covered by a final transcript."""
    arrived: deque[TranscriptObservation] = field(default_factory=deque)
    closing: bool = False
    lost: int = 0
    """Samples that were dropped."""

    def put(self, item: AudioPiece | str) -> None:
        """Append an item; drops the oldest audio beyond ``max_buffered``. Ignored once closing."""
        with self.changed:
            if self.closing:
                return
            self.waiting.append(item)
            kept = sum(piece.samples for piece in self.waiting if isinstance(piece, AudioPiece))
            while kept > self.settings.max_buffered * SAMPLE_RATE:
                oldest = self.waiting.popleft()
                if isinstance(oldest, AudioPiece):
                    kept -= oldest.samples
                    self.lost += oldest.samples
            self.changed.notify_all()

    def next(self, ended: Callable[[], bool]) -> AudioPiece | str | None:
        """The next item to send; ``None`` when a keep-alive is due, or it is time to stop.

        Args:
            ended: whether the connection has ended.
        """
        with self.changed:
            self.changed.wait_for(
                lambda: self.waiting or self.closing or ended(), timeout=self.settings.keep_alive
            )
            if not self.waiting or ended():
                return None
            item = self.waiting.popleft()
            if isinstance(item, AudioPiece):
                self.unconfirmed.append(item)
                oldest = item.end - self.settings.max_buffered
                while self.unconfirmed[0].end < oldest:
                    self.unconfirmed.popleft()
            return item

    def confirm(self, time: float) -> None:
        """Transcripts up to this media time are final."""
        with self.changed:
            while self.unconfirmed and self.unconfirmed[0].end <= time + _ROUNDING:
                self.unconfirmed.popleft()

    def close(self, *, forget: bool = False) -> None:
        """Accept nothing more. ``forget``: also drop what waits."""
        with self.changed:
            self.closing = True
            if forget:
                self.waiting.clear()
            self.changed.notify_all()

    def take(self) -> tuple[TranscriptObservation, ...]:
        """The transcripts that have arrived since the last call."""
        with self.changed:
            found = tuple(self.arrived)
            self.arrived.clear()
        return found
