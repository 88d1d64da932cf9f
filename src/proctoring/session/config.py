"""What a session is constructed from."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.networks import AudioModels
from proctoring.records.entries import SittingRef
from proctoring.session.lifetime import Lifetime
from proctoring.session.transcription import TranscriptionService
from proctoring.session.worker_pool import WorkerPool


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """What distinguishes one session from others, apart from its policy."""

    sitting: SittingRef
    lifetime: Lifetime
    max_pixels: int
    """Largest frame that is decoded."""
    mirrored: bool = False
    """Whether its frames are mirrored."""
    awaited: bool = False
    """Created through the API, before its first socket."""


@dataclass(frozen=True, slots=True)
class SessionResources:
    """What the sessions of a process share."""

    pool: WorkerPool
    audio: AudioModels
    transcription: TranscriptionService | None = None
