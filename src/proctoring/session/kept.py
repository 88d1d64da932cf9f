"""What is kept of a running session, so that another process can continue it: its parts and their types.

``docs/internals/continuation.md`` says when they are written, how they are protected and what is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from proctoring.judgement.recent_angles import RecentAnglesState
from proctoring.observations import FrameObservation
from proctoring.session.continuation import ArrivalState
from proctoring.session.sound_state import SoundState, SoundVoices
from proctoring.vision.identity.verifier import VerifierFaces
from proctoring.vision.snapshot import HotVision, LearnedVision


@dataclass(frozen=True, slots=True, eq=False)
class HotState:
    """What changes all the time."""

    arrivals: ArrivalState
    sound: SoundState
    vision: HotVision = field(default_factory=HotVision)
    inputs: int = 0
    """Inputs of judgement so far that the records may hold."""
    faces: FrameObservation | None = None
    """These two: as in ``JudgementSnapshot``."""
    recent: RecentAnglesState | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LearnedState:
    """What the first seconds taught, and what is learned now and then: no biometrics."""

    vision: LearnedVision


@dataclass(frozen=True, slots=True, eq=False)
class BiometricState:
    """Embeddings of face and voices. Biometric data."""

    voices: SoundVoices
    face: VerifierFaces
