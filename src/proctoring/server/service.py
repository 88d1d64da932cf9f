"""What one server process runs, from its settings: models, workers, sessions and storage."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from threading import Thread

from prometheus_client import CollectorRegistry

from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.capabilities import Capability
from proctoring.delivery.outbox import Outbox
from proctoring.errors import BadPolicyError, NotReadyError, SettingsError
from proctoring.judgement.policy import Policy, load_policy
from proctoring.models.store import ModelStore
from proctoring.records.archive import HEARTBEAT
from proctoring.server.access import access_mode
from proctoring.server.model_loading import ModelLoading
from proctoring.server.open_storage import open_storage
from proctoring.server.periodic import cancel, repeat, repeat_on_thread
from proctoring.server.references import ReferenceLearning
from proctoring.server.status import Status, log_capabilities
from proctoring.session.factory import SessionLimits, SessionServices
from proctoring.session.lifetime import Lifetime
from proctoring.session.loaded_models import Models
from proctoring.session.registry import Registry
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.transcription import TranscriptionService
from proctoring.session.worker_pool import WorkerPool
from proctoring.settings import Settings
from proctoring.storage.storage import Storage
from proctoring.vision.identity.embedding import Embedding
from proctoring.vision.tiled_detection import detect_faces_in_tiles

_log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds between two ticks of the sessions: missing media and ends are noticed that much later."""

STOP = 5.0
"""Seconds that sessions, and then each thread, have to end when the server stops."""

LAST_WORDS = 3.0
"""Seconds that a remote transcriber has to send a session's last words, within ``STOP``."""

SWEEP = 3600.0
"""Seconds between two sweeps of records: policies count in days."""

STOP_LOADING = 30.0
"""Seconds that loading has to end: it cannot be interrupted, and the runtime crashes if the process
exits while a model is being compiled."""


class Service:
    """One process's service. Every method is for the event loop; none of them blocks it.

    Args:
        settings: the operator's.
        models: models that are loaded already; otherwise ``start`` fetches and loads them.
        monotonic: seconds; arrival times and lifetimes use it.
        wall: the time of day, with its zone.

    Raises:
        SettingsError: the default policy, the database or the evidence store cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        models: Models | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.access = access_mode(settings)
        self.now = monotonic
        try:
            self.default_policy: Policy = load_policy(settings.default_policy)
        except BadPolicyError as error:
            raise SettingsError(f"default policy: {error.detail}") from error
        self.metrics = CollectorRegistry()
        self.session_metrics = SessionMetrics(self.metrics)
        self.storage: Storage = open_storage(
            settings,
            unbegun_days=self.default_policy.records.retention_days,
            metrics=self.session_metrics,
            wall=wall,
        )
        self.pool = WorkerPool(settings.workers)
        self.transcription_pool = WorkerPool(1, name="transcription")
        """Transcribes; analysis never waits for it."""
        self._wall = wall
        self._store = ModelStore(settings.models_folder, settings.models_mirror)
        self._models = models
        self._loading = ModelLoading(
            self._store, settings.object_model, loaded=self._ready, failed=self._fail
        )
        self._transcribers: Transcribers | None = None
        self._preparing: Thread | None = None
        self._references = ReferenceLearning()
        self._sessions: Registry | None = None
        self._failure = ""
        self._stopping = False
        self._periodic: list[asyncio.Task[None]] = []

    @property
    def status(self) -> Status:
        """How the service is now."""
        if self._stopping:
            return Status.STOPPING
        if self._failure:
            return Status.FAILED
        if self._sessions is None:
            return Status.STARTING
        if self.slowed_sessions or not all(
            found.available for found in self.capabilities if found.wanted
        ):
            return Status.DEGRADED
        return Status.OK

    @property
    def failure(self) -> str:
        """Why the status is ``failed``; empty otherwise."""
        return self._failure

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What this process can analyse and store; empty while models are being loaded."""
        if self._models is None:
            return ()
        words = () if self._transcribers is None else self._transcribers.capabilities
        return (*self._models.capabilities, *words, *self.storage.capabilities)

    @property
    def outbox(self) -> Outbox:
        """All sessions' events."""
        return self.storage.outbox

    @property
    def sessions(self) -> Registry:
        """The open sessions.

        Raises:
            NotReadyError: no session can begin now.
        """
        if self._stopping:
            raise NotReadyError("the server is stopping")
        if self._failure:
            raise NotReadyError(f"the server could not start: {self._failure}")
        if self._sessions is None:
            raise NotReadyError("the server is starting: its models are being loaded")
        return self._sessions

    @property
    def open_sessions(self) -> int:
        """How many sessions are open, whatever the status."""
        return 0 if self._sessions is None else len(self._sessions)

    @property
    def slowed_sessions(self) -> int:
        """How many open sessions are analysed at less than the full rate."""
        return 0 if self._sessions is None else sum(s.rate < 1 for s in self._sessions)

    async def start(self) -> None:
        """Start all threads and periodic work, and load the models beside the event loop."""
        self.storage.start()
        self.pool.start()
        self.transcription_pool.start()
        self._periodic = [
            asyncio.create_task(repeat(TICK, self._tick)),
            asyncio.create_task(repeat_on_thread(HEARTBEAT, self.storage.heartbeat)),
            asyncio.create_task(repeat_on_thread(SWEEP, self.storage.sweep)),
        ]
        if self._models is not None:
            self._ready(self._models)
        else:
            self._loading.start()

    async def join(self, session_id: str, *, mirrored: bool = False) -> Session:
        """The open session of this id; begun, under the default policy, if there is none.

        Raises:
            NotReadyError, BadSessionIdError, SessionClosingError, TooManyError: it cannot begin.
        """
        sessions = self.sessions
        closing = sessions.closing(session_id)
        if closing is not None:
            await self.until_done(closing)
        session = self.sessions.find(session_id)
        if session is None:
            policy, now = self.default_policy, self.now()
            session = self.sessions.begin(session_id, policy, now, mirrored=mirrored)
        return await self._recorded(session)

    async def create(
        self, session_id: str, policy: Policy, *, mirrored: bool, face: Embedding | None = None
    ) -> Session:
        """Begin a session before its first socket.

        Raises:
            NotReadyError, BadSessionIdError, SessionExistsError, SessionClosingError,
                TooManyError: it cannot begin.
        """
        closing = self.sessions.closing(session_id)
        if closing is not None:
            await self.until_done(closing)
        now = self.now()
        session = self.sessions.begin(
            session_id, policy, now, mirrored=mirrored, awaited=True, face=face
        )
        return await self._recorded(session)

    async def _recorded(self, session: Session) -> Session:
        """Wait until it is written that the session began."""
        if not session.recorded.done():
            await asyncio.wait({asyncio.wrap_future(session.recorded)}, timeout=STOP)
        if not session.recorded.done():
            raise NotReadyError("the session cannot be recorded now; try again later")
        return session

    async def learn_face(self, photo: str) -> Embedding:
        """A candidate's face from a picture (JPEG or PNG) in base64.

        Raises:
            BadPhotoError: it shows no face that can be compared.
            ModelUnavailableError, NotReadyError: faces are not compared here, or not now.
        """
        return await self._references.face(self._loaded.vision, photo)

    async def learn_voice(self, reference: str) -> SpeakerReference:
        """A candidate's voice from a sound file in base64.

        Raises:
            BadVoiceError: it cannot be learned.
            ModelUnavailableError, NotReadyError: speakers are not told apart here, or not now.
        """
        return await self._references.voice(self._loaded.audio, reference)

    @property
    def _loaded(self) -> Models:
        _ = self.sessions
        assert self._models is not None  # noqa: S101  (``sessions`` needs them too)
        return self._models

    def is_over(self, session_id: str) -> bool:
        """Whether the session of this id has ended, and its events can still be read."""
        sessions = self.sessions
        return sessions.find(session_id) is None and sessions.is_remembered(session_id)

    async def until_done(self, session: Session) -> bool:
        """Wait until an ending session is over. Returns whether it is, within ``STOP`` seconds."""
        done = asyncio.wrap_future(session.done)
        await asyncio.wait({done}, timeout=STOP)
        return session.done.done()

    async def drain(self) -> None:
        """End every session and let none begin; listeners still receive the last events."""
        self._stopping = True
        if self._sessions is None:
            return
        ending = list(self._sessions)
        for session in ending:
            self._sessions.end(session.session_id, "the server stops", self.now())
        if ending:
            futures = {asyncio.wrap_future(session.done) for session in ending}
            await asyncio.wait(futures, timeout=STOP)

    async def stop(self) -> None:
        """End sessions, periodic work and threads, and close the storage."""
        await self.drain()
        await cancel(self._periodic)
        await asyncio.to_thread(self._loading.join, STOP_LOADING)
        if self._preparing is not None:
            await asyncio.to_thread(self._preparing.join, STOP_LOADING)
        await asyncio.to_thread(self.storage.stop_evidence, STOP)
        for pool in (self.pool, self.transcription_pool):
            if not await asyncio.to_thread(pool.stop, STOP):
                _log.error("a worker did not end within %.0f s", STOP)
        await asyncio.to_thread(self.storage.stop, STOP)

    def _ready(self, models: Models) -> None:
        settings = self.settings
        self._models = models
        self._transcribers = transcribers = Transcribers(
            self._store,
            models.audio.voice_activity,
            deepgram_key=settings.deepgram_key,
            deepgram=DeepgramSettings(url=settings.deepgram_url, close_timeout=LAST_WORDS),
        )
        wanted = {self.default_policy.transcription.engine}
        self._preparing = Thread(
            target=transcribers.prepare, args=(wanted,), name="transcribers", daemon=True
        )
        self._preparing.start()
        if models.vision.faces is not None:
            self.storage.find_faces_with(
                partial(detect_faces_in_tiles, models.vision.faces.detector)
            )
        self._sessions = Registry(
            SessionServices(
                vision=models.vision,
                audio=models.audio,
                pool=self.pool,
                storage=self.storage,
                metrics=self.session_metrics,
                wall=self._wall,
                transcription=TranscriptionService(transcribers, self.transcription_pool),
            ),
            SessionLimits(
                max_sessions=settings.max_sessions,
                lifetime=Lifetime(settings.session_grace, settings.session_idle_timeout),
                keep_events=settings.keep_events,
                max_pixels=settings.max_frame_pixels,
            ),
        )
        log_capabilities(self.capabilities)

    def _fail(self, reason: str) -> None:
        self._failure = reason
        _log.error("%s", reason)

    def _tick(self) -> None:
        if self._sessions is not None:
            self._sessions.tick(self.now())
