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
from proctoring.session.continuing import LeftSession, continued_notice, outage
from proctoring.session.counters import IncidentsShown
from proctoring.session.evidence.recorder import EvidenceRecorder
from proctoring.session.keeper import StateKeeper
from proctoring.session.lifetime import Lifetime
from proctoring.session.outcomes import JudgementUpdate
from proctoring.session.pipeline import JudgementSnapshot, Pipeline
from proctoring.session.publishing import SessionPublisher
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
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
    exclusive: bool = False
    """Whether other servers may have open sessions: none of the same id begins beside them."""
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
    policy, sitting = new.policy, sitting_ref(new.session_id, services.wall())
    seed = secrets.token_hex(16)
    analyser = VisionAnalyser(
        services.vision, mirrored=new.mirrored, reference=new.face, gated=services.gated
    )
    record = services.storage.observation_recorder(sitting, policy.records)
    pipeline = Pipeline(policy, analyser, seed=seed, record=record)
    config = SessionConfig(sitting, limits.lifetime, limits.max_pixels, new.mirrored, new.awaited)
    session = _session(services, config, pipeline, now).session
    session.recorded = services.storage.outbox.begin(
        SittingStarted(
            sitting, new.mirrored, policy.name, policy.to_toml(), seed, services.exclusive
        )
    )
    return session


def continue_session(
    services: SessionServices, limits: SessionLimits, found: LeftSession, now: float
) -> Session:
    """Create a session that goes on where another process left it, and tell its listeners so."""
    kept, hot = found.kept, found.hot
    sitting, policy = kept.sitting, kept.policy
    voices, vision = found.voices, found.vision
    analyser = VisionAnalyser(
        services.vision, mirrored=kept.mirrored, gated=services.gated, kept=vision
    )
    record = services.storage.observation_recorder(
        sitting, policy.records, next_segment=kept.next_segment, lost=found.inputs_lost
    )
    judged = JudgementSnapshot(
        kept.judgement, hot.faces, hot.recent, inputs=kept.inputs_recorded + found.inputs_lost
    )
    pipeline = Pipeline(policy, analyser, record=record, kept=judged)
    config = SessionConfig(
        sitting, limits.lifetime, limits.max_pixels, kept.mirrored, hot.arrivals.awaited
    )
    built = _session(services, config, pipeline, now)
    session = built.session
    if built.evidence is not None:
        built.evidence.resume(kept.evidence_count, kept.incidents)
    session.continuation.restore(
        hot.arrivals,
        IncidentsShown(kept.incidents, kept.last_alert),
        hot.sound,
        voices,
        now=now,
        passed=services.wall().timestamp() - hot.arrivals.taken_at,
        judged_until=kept.judgement.heard_until,
        transcribed_until=kept.judgement.transcribed_until,
    )
    time = session.continuation.clock.extrapolate(now)
    observation = outage(found, time)
    changes = () if observation is None else pipeline.apply(observation)
    for notice in pipeline.take_notices():
        session.emit(JudgementUpdate(time, (), notice))
    told = continued_notice(found, time)
    session.emit(JudgementUpdate(time, changes, told, state=pipeline.state))
    assert built.publisher.newest is not None  # noqa: S101  (it has just published)
    session.recorded = built.publisher.newest
    return session


@dataclass(frozen=True, slots=True)
class _Built:
    session: Session
    publisher: SessionPublisher
    evidence: EvidenceRecorder | None


def _session(
    services: SessionServices, config: SessionConfig, pipeline: Pipeline, now: float
) -> _Built:
    policy, storage = pipeline.policy, services.storage
    keeps = storage.keeps_states and policy.records.failover != "off"
    publisher = SessionPublisher(config.sitting, storage, services.wall, keeps=keeps)
    evidence = storage.evidence_recorder(policy.evidence, publisher)
    session = Session(
        config,
        SessionResources(services.pool, services.audio, services.transcription),
        pipeline,
        (services.metrics, publisher if evidence is None else evidence),
        done=publisher.done,
        withdraw=publisher.withdraw,
        now=now,
    )
    if keeps:
        session.keeper = StateKeeper(session.continuation, pipeline, publisher, session.post)
    return _Built(session, publisher, evidence)
