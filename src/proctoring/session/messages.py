"""Messages from a session's event loop half to its worker half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from proctoring.errors import BadFrameError
from proctoring.judgement.inputs import JudgementInput
from proctoring.observations import AudioObservation
from proctoring.vision.analyser import FrameAnalysis
from proctoring.vision.deferred import DeferredResult


class FrameReply(Protocol):
    """Reports the outcome of a frame to its sender. Called from pool threads."""

    def analysed(self, frame: ReceivedFrame, analysis: FrameAnalysis, decode_ms: float) -> None:
        """The frame was analysed; what it changed has been published."""

    def refused(self, error: BadFrameError) -> None:
        """The frame could not be decoded."""

    def failed(self) -> None:
        """The analysis failed; the frame itself was valid."""


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One encoded frame as received from a client."""

    data: bytes
    """JPEG."""
    time: float
    """Media time in seconds."""
    capture: int | None
    """The client's capture time in microseconds, if it sent one."""
    arrived: float
    """Arrival time in seconds of ``time.monotonic``."""
    reply: FrameReply


@dataclass(frozen=True, slots=True, eq=False)
class SoundAnalysed:
    """A segment of audio was analysed."""

    observation: AudioObservation
    judged: Callable[[], None]
    """To be called in the turn in which it is judged."""

    @property
    def time(self) -> float:
        """Media time in seconds."""
        return self.observation.time


@dataclass(frozen=True, slots=True)
class TranscriptionStatus:
    """Transcription became available or unavailable."""

    time: float
    """Media time in seconds."""
    trouble: str
    """Why there are no transcripts; empty while transcription works."""


@dataclass(frozen=True, slots=True)
class DeferredDone:
    """The deferred detection has finished."""

    time: float
    """Media time of its frame in seconds; 0 if it failed."""
    result: DeferredResult | None
    """``None``: it failed."""


@dataclass(frozen=True, slots=True)
class StateWanted:
    """The state of the session is to be taken, to be kept."""

    time: float
    """Media time in seconds."""
    take: Callable[[], None]
    """To be called in the worker's turn."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """The last message of a session."""

    time: float
    """Media time in seconds."""
    detail: str
    """The reason, in words for listeners."""


Message = (
    JudgementInput | SoundAnalysed | TranscriptionStatus | DeferredDone | StateWanted | SessionEnd
)
"""Everything but frames. Each has a media time."""
