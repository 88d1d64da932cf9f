"""The part of the service that exists once its models are loaded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Thread

from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.capabilities import Capability
from proctoring.models.store import ModelStore
from proctoring.records.entries import SittingRef
from proctoring.server.periodic import call_on
from proctoring.session.factory import SessionLimits, SessionServices
from proctoring.session.lifetime import Lifetime
from proctoring.session.loaded_models import Models
from proctoring.session.registry import Registry
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.transcription import TranscriptionService
from proctoring.session.worker_pool import WorkerPool
from proctoring.settings import Settings
from proctoring.storage.storage import Storage
from proctoring.vision.tiled_detection import detect_faces_in_tiles

TRANSCRIBER_CLOSE_TIMEOUT = 3.0
"""Seconds that a remote transcriber has to send a session's last words: less than a session has to
end when the server stops."""


@dataclass(frozen=True, slots=True)
class ReadyService:
    """Models, transcribers and the sessions that use them."""

    models: Models
    transcribers: Transcribers
    sessions: Registry
    preparing: Thread
    """Fetches and loads the default policy's transcriber."""

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What can be analysed and transcribed."""
        return (*self.models.capabilities, *self.transcribers.capabilities)


def ready_service(
    settings: Settings,
    models: Models,
    store: ModelStore,
    *,
    engine: str,
    storage: Storage,
    metrics: SessionMetrics,
    pool: WorkerPool,
    transcription_pool: WorkerPool,
    wall: Callable[[], datetime],
    now: Callable[[], float],
) -> ReadyService:
    """Put sessions together with all that they use, and start to prepare a transcriber.

    Args:
        settings: the operator's.
        models: loaded.
        store: where transcribers' weights are kept.
        engine: the default policy's transcriber, which is prepared.
        storage: started.
        metrics: of all sessions.
        pool: analyses.
        transcription_pool: transcribes.
        wall: the time of day, with its zone.
        now: seconds, monotonic.
    """
    transcribers = Transcribers(
        store,
        models.audio.voice_activity,
        deepgram_key=settings.deepgram_key,
        deepgram=DeepgramSettings(
            url=settings.deepgram_url, close_timeout=TRANSCRIBER_CLOSE_TIMEOUT
        ),
    )
    preparing = Thread(
        target=transcribers.prepare, args=({engine},), name="transcribers", daemon=True
    )
    preparing.start()
    if models.vision.faces is not None:
        storage.find_faces_with(partial(detect_faces_in_tiles, models.vision.faces.detector))
    sessions = Registry(
        SessionServices(
            vision=models.vision,
            audio=models.audio,
            pool=pool,
            storage=storage,
            metrics=metrics,
            wall=wall,
            transcription=TranscriptionService(transcribers, transcription_pool),
            exclusive=settings.cluster_address is not None,
            gated=not settings.every_frame,
        ),
        SessionLimits(
            max_sessions=settings.max_sessions,
            admission_by_load=settings.admission == "load",
            lifetime=Lifetime(settings.session_grace, settings.session_idle_timeout),
            keep_events=settings.keep_events,
            max_pixels=settings.max_frame_pixels,
        ),
    )
    loop = asyncio.get_running_loop()

    def fenced(sitting: SittingRef) -> None:
        """Another server owns a sitting. Called by the thread that writes events."""
        call_on(loop, lambda: sessions.fence(sitting.id, sitting.epoch, now()))

    storage.outbox.on_fenced = fenced
    return ReadyService(models, transcribers, sessions, preparing)
