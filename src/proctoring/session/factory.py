"""Constructs sessions with their pipeline and sinks."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from proctoring.audio.networks import AudioModels
from proctoring.judgement.policy import Policy
from proctoring.records.entries import SittingStarted, sitting_ref
from proctoring.session.config import SessionConfig, SessionResources
from proctoring.session.lifetime import Lifetime
from proctoring.session.pipeline import Pipeline
from proctoring.session.publishing import SessionPublisher
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.sinks import Sink
from proctoring.session.storage import SessionStorage
from proctoring.session.transcription import TranscriptionService
from proctoring.session.worker_pool import WorkerPool
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.networks import VisionModels


@dataclass(frozen=True, slots=True)
class SessionServices:
    """What the sessions of a process use in common."""

    vision: VisionModels
    audio: AudioModels
    pool: WorkerPool
    storage: SessionStorage
    metrics: SessionMetrics
    wall: Callable[[], datetime]
    """The time of day, with its zone."""
    transcription: TranscriptionService | None = None
    gated: bool = True
    """Whether faces that have not changed are carried over from frame to frame."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Limits that the operator sets."""

    max_sessions: int
    """Open at once."""
    admission_by_load: bool
    """Whether sessions that the workers have no time for are refused."""
    lifetime: Lifetime
    keep_events: float
    """Seconds for which an ended session's events can be read."""
    max_pixels: int
    """Largest frame that is decoded."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a session is created with."""

    session_id: str
    policy: Policy
    mirrored: bool = False
    awaited: bool = False
    """Created through the API, before its first socket."""
    face: FaceReference | None = None
    """Of a reference photo."""


def create_session(
    services: SessionServices, limits: SessionLimits, new: NewSession, now: float
) -> Session:
    """Create a session and record its start."""
    policy, mirrored = new.policy, new.mirrored
    sitting = sitting_ref(new.session_id, services.wall())
    seed = secrets.token_hex(16)
    pipeline = Pipeline(
        policy,
        VisionAnalyser(
            services.vision, mirrored=mirrored, reference=new.face, gated=services.gated
        ),
        seed=seed,
        record=services.storage.observation_recorder(sitting, policy.records),
    )
    publisher = SessionPublisher(sitting, services.storage, services.wall)
    session = Session(
        SessionConfig(sitting, limits.lifetime, limits.max_pixels, mirrored, new.awaited),
        SessionResources(services.pool, services.audio, services.transcription),
        pipeline,
        _sinks(services, policy, publisher),
        done=publisher.done,
        withdraw=publisher.withdraw,
        now=now,
    )
    session.recorded = services.storage.outbox.begin(
        SittingStarted(sitting, mirrored, policy.name, policy.to_toml(), seed)
    )
    return session


def _sinks(
    services: SessionServices, policy: Policy, publisher: SessionPublisher
) -> tuple[Sink, ...]:
    evidence = services.storage.evidence_recorder(policy.evidence, publisher)
    return (services.metrics, publisher if evidence is None else evidence)
