"""Outcomes of a session's frames and audio, and of judgement. Sinks receive them (``sinks.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proctoring.audio.pcm import Pcm
from proctoring.errors import BadFrameError
from proctoring.incidents import IncidentChange
from proctoring.judgement.state import JudgementState
from proctoring.observations import FrameObservation
from proctoring.records.entries import Notice
from proctoring.session.messages import ReceivedFrame
from proctoring.vision.analyser import FrameAnalysis

# Emitted on the event loop, when media arrives.


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A frame arrived and waits for analysis. One more outcome of this frame follows."""

    frame: ReceivedFrame


@dataclass(frozen=True, slots=True)
class FrameReplaced:
    """A newer frame arrived while this one waited."""

    frame: ReceivedFrame


@dataclass(frozen=True, slots=True)
class FrameLimited:
    """A frame was dropped on arrival because its client sends too many. It was not received."""


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A message on a video socket is no frame. It was not received."""

    error: BadFrameError


@dataclass(frozen=True, slots=True, eq=False)
class AudioReceived:
    """Audio arrived."""

    time: float
    """Media time of the first of ``samples``, in seconds."""
    samples: Pcm
    """16 kHz. Without those that were received before."""
    seconds: float
    """Of all audio in the message."""
    missing: float
    """Seconds that never arrived before it, or did not fit into the buffer."""


# Emitted on pool threads.


@dataclass(frozen=True, slots=True)
class FrameSkipped:
    """Nothing was due when the frame's turn came, or the session ended first: it was not decoded."""

    frame: ReceivedFrame


@dataclass(frozen=True, slots=True)
class FrameAnalysed:
    """A frame was analysed. The ``JudgementUpdate`` of its observation follows."""

    frame: ReceivedFrame
    analysis: FrameAnalysis
    decode_ms: float
    latency: float
    """Seconds from the frame's arrival to the end of its analysis."""
    deferred: bool
    """Whether a deferred detection on this frame has been started."""


@dataclass(frozen=True, slots=True)
class FrameRefused:
    """A frame could not be decoded."""

    frame: ReceivedFrame
    error: BadFrameError


@dataclass(frozen=True, slots=True)
class FrameFailed:
    """The analysis of a frame failed."""

    frame: ReceivedFrame


@dataclass(frozen=True, slots=True)
class DeferredAnalysed:
    """A deferred detection succeeded. The ``JudgementUpdate`` of its observation follows."""

    observation: FrameObservation
    milliseconds: Mapping[str, float]
    """Wall time by analyser."""


@dataclass(frozen=True, slots=True)
class DeferredFailed:
    """A deferred detection failed."""


@dataclass(frozen=True, slots=True)
class AudioFailed:
    """Audio could not be analysed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class JudgementUpdate:
    """Judgement has reached this media time. ``changes`` and ``notice`` are one message to
    listeners; both may be empty."""

    time: float
    """Media time in seconds."""
    changes: tuple[IncidentChange, ...]
    notice: Notice | None = None
    frames_pending: bool = False
    """Whether frames of earlier media times may still be analysed."""
    state: JudgementState | None = None
    """Judgement after it; ``None``: more of the same moment follows, or nothing of judgement changed."""


@dataclass(frozen=True, slots=True)
class JudgementFailed:
    """An observation or a request could not be judged."""


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last outcome of a session."""

    time: float
    """Media time in seconds."""
    detail: str
    """The reason, in words for listeners."""
    face: tuple[float, ...] | None
    """Embedding to store with the record, if the policy asks for that. Biometric data."""


@dataclass(frozen=True, slots=True)
class SinkFailed:
    """A sink raised an exception."""


Outcome = (
    FrameReceived
    | FrameReplaced
    | FrameLimited
    | MessageRefused
    | AudioReceived
    | FrameSkipped
    | FrameAnalysed
    | FrameRefused
    | FrameFailed
    | DeferredAnalysed
    | DeferredFailed
    | AudioFailed
    | JudgementUpdate
    | JudgementFailed
    | SessionEnded
    | SinkFailed
)
