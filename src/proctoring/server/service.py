"""Everything that one server process runs, from its settings: models, pool, sessions, outbox."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from threading import Thread

from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from proctoring.audio.analyser import AudioModels
from proctoring.audio.transcription.deepgram.settings import DeepgramSettings
from proctoring.audio.transcription.transcribers import Transcribers
from proctoring.audio.voice_reference import VoiceReference, decode_reference, read_reference
from proctoring.capabilities import Capability
from proctoring.delivery.journal import MemoryJournal
from proctoring.delivery.outbox import Outbox
from proctoring.delivery.recorded import RecordedJournal
from proctoring.delivery.webhook_signing import Style
from proctoring.delivery.webhooks import UNSERVED, Endpoint, Webhooks
from proctoring.errors import (
    BadPhotoError,
    BadPolicyError,
    BadVoiceError,
    NotReadyError,
    ProctoringError,
    SettingsError,
)
from proctoring.judgement.policy import Policy, load_policy
from proctoring.models.store import ModelStore
from proctoring.records.archive import Archive, open_archive
from proctoring.records.erasure import sweep
from proctoring.records.evidence.ledger import EvidenceLedger
from proctoring.records.evidence.sealing import read_keys
from proctoring.records.evidence.vault import EvidenceVault, open_store
from proctoring.records.signals import SignalKeeper
from proctoring.records.webhook_queue import WebhookQueue
from proctoring.server.access import who_may
from proctoring.session.evidence.keeper import EvidenceKeeper
from proctoring.session.pool import Pool
from proctoring.session.registry import Registry
from proctoring.session.senses import Senses, load_senses
from proctoring.session.session import Lifetime, Session
from proctoring.session.tally import Tally
from proctoring.session.transcribing import TranscriptionService
from proctoring.session.warm_up import warm_up
from proctoring.settings import Settings
from proctoring.vision.crowd import find_everybody
from proctoring.vision.identity.embedding import Embedding
from proctoring.vision.identity.photo import read_photo
from proctoring.vision.networks import VisionModels

_log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds between two looks at all sessions."""

STOP = 5.0
"""Seconds that sessions and threads have to end when the server stops."""


LAST_WORDS = 3.0
"""Seconds that a remote transcriber has for the last words of a session, within ``STOP``."""

SWEEP = 3600.0
"""Seconds between two times that records are erased which policies let be kept no longer."""

SEEN = 10.0
"""Seconds between two times that the server says in the database that it lives."""

STOP_LOADING = 30.0
"""Seconds that loading has to end: it cannot be broken off, and the runtime does not survive an
exit in the midst of it."""


class Status(StrEnum):
    """How the service is, for ``/api/health``."""

    STARTING = "starting"
    """Models are being fetched or loaded: no session can begin yet."""
    OK = "ok"
    DEGRADED = "degraded"
    """It works, with a capability off or at lower rates."""
    FAILED = "failed"
    """It could not start: no session can begin."""
    STOPPING = "stopping"


class Service:
    """One process's service. Every method is for the event loop, which none of them blocks.

    Args:
        settings: what the operator chose.
        models: already loaded ones; otherwise they are fetched and loaded by ``start``.
        monotonic: seconds; arrival times and lifetimes go by it.
        wall: the time of day.

    Raises:
        SettingsError: the default policy, the database or the evidence store cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        models: Senses | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.access = who_may(settings)
        self.now = monotonic
        try:
            self.default_policy: Policy = load_policy(settings.default_policy)
        except BadPolicyError as error:
            raise SettingsError(f"default policy: {error.detail}") from error
        self.metrics = CollectorRegistry()
        self.tally = Tally(self.metrics)
        self.archive, self._records_off = _open(settings, wall())
        self._webhooks: Webhooks | None = None
        endpoints = tuple(
            Endpoint(target.url, Style(target.style), target.secret.get_secret_value(), target.key)
            for target in settings.webhooks
        )
        names = tuple(endpoint.name for endpoint in endpoints)
        if self.archive is not None and endpoints:
            self._webhooks = Webhooks(
                WebhookQueue(self.archive.engine, wall=wall),
                endpoints,
                wall=wall,
                given_up=self.tally.webhooks_given_up.inc,
            )
        self._journal: RecordedJournal | MemoryJournal
        self.signals = None if self.archive is None else SignalKeeper(self.archive.engine)
        if self.archive is None:
            self._journal = MemoryJournal(settings.events_per_session)
        else:
            self._journal = RecordedJournal(
                self.archive.writer(names), self.archive.reader, settings.events_per_session
            )
        self.outbox = Outbox(
            self._journal,
            listeners_per_session=settings.listeners_per_session,
            queue=settings.listener_queue,
        )
        self.pool = Pool(settings.workers)
        self.words_pool = Pool(1, name="words")
        """Transcribes; analysis never waits for it."""
        self._transcribers: Transcribers | None = None
        vault = EvidenceVault(
            open_store(
                settings.evidence_store,
                settings.evidence_folder or settings.data_folder / "evidence",
                endpoint=settings.evidence_s3_endpoint,
                region=settings.evidence_s3_region,
            ),
            read_keys(settings.evidence_key.get_secret_value(), settings.evidence_key_file),
        )
        self.ledger: EvidenceLedger | None = None
        """Evidence that is kept; ``None`` where nothing is recorded, and so no evidence either."""
        self._keeper: EvidenceKeeper | None = None
        if self.archive is not None:
            self.ledger = EvidenceLedger(self.archive.engine, vault, wall=wall)
            self._keeper = EvidenceKeeper(
                self.ledger,
                lost=lambda _: self.tally.evidence_lost.inc(),
                max_pixels=settings.max_frame_pixels,
            )
        self._wall = wall
        self._models = models
        self._sessions: Registry | None = None
        self._failure = ""
        self._stopping = False
        self._learning = asyncio.Semaphore(1)
        self._ticker: asyncio.Task[None] | None = None
        self._loader: Thread | None = None
        self._preparing: Thread | None = None

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
        """What this process can see, hear and keep; empty while that is not known yet."""
        if self._models is None:
            return ()
        words = () if self._transcribers is None else self._transcribers.capabilities
        return (*self._models.capabilities, *words, self._records, self._evidence, *self._hooks)

    @property
    def _records(self) -> Capability:
        trouble = self._records_off
        if isinstance(self._journal, RecordedJournal):
            trouble = self._journal.trouble
        if not trouble and self.signals is not None:
            trouble = self.signals.trouble
        if not trouble and self.outbox.lost:
            trouble = f"{self.outbox.lost} events were lost"
        return Capability("records", available=not trouble, reason=trouble, model="")

    @property
    def _hooks(self) -> tuple[Capability, ...]:
        if not self.settings.webhooks:
            return ()
        if self._webhooks is None:
            return (Capability("webhooks", available=False, reason=self._records_off, model=""),)
        return (self._webhooks.capability,)

    @property
    def _evidence(self) -> Capability:
        if self._keeper is None:
            return Capability("evidence", available=False, reason=self._records_off, model="")
        return self._keeper.capability

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
        """Start threads and the ticker; load the models, beside the event loop, if need be."""
        self.outbox.start()
        if self.signals is not None:
            self.signals.start()
        self.pool.start()
        self.words_pool.start()
        if self._keeper is not None:
            self._keeper.start()
        if self._webhooks is not None:
            self._webhooks.start()
        self._ticker = asyncio.create_task(self._tick())
        if self._models is not None:
            self._ready(self._models)
        else:
            loop = asyncio.get_running_loop()
            self._loader = Thread(target=self._load, args=(loop,), name="loading", daemon=True)
            self._loader.start()

    async def join(self, session_id: str, *, mirrored: bool = False) -> Session:
        """The open session of this name; begun, under the default policy, if there is none.

        Raises:
            NotReadyError, BadSessionIdError, TooManyError: it cannot begin.
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
        """Begin a session beforehand.

        Raises:
            NotReadyError, BadSessionIdError, SessionExistsError, TooManyError: it cannot begin.
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
        """A candidate's face from a picture as base64: one at a time, beside the event loop.

        Raises:
            BadPhotoError: nobody can be compared with it.
            ModelUnavailableError, NotReadyError: faces are not compared here, or not now.
        """
        _ = self.sessions
        models = self._models
        assert models is not None  # noqa: S101  (sessions are there only with models)
        async with self._learning:
            return await asyncio.to_thread(_learn_face, models.vision, photo)

    async def learn_voice(self, reference: str) -> VoiceReference:
        """A candidate's voice from a sound file as base64: one at a time, beside the event loop.

        Raises:
            BadVoiceError: it cannot be learned.
            ModelUnavailableError, NotReadyError: voices are not told apart here, or not now.
        """
        _ = self.sessions
        models = self._models
        assert models is not None  # noqa: S101  (sessions are there only with models)
        async with self._learning:
            return await asyncio.to_thread(_learn_voice, models.audio, reference)

    def is_over(self, session_id: str) -> bool:
        """Whether the session of this name has ended, and its events can still be read."""
        sessions = self.sessions
        return sessions.find(session_id) is None and sessions.is_remembered(session_id)

    async def until_done(self, session: Session) -> bool:
        """Wait until an ending session is over. Returns whether it is, within ``STOP`` seconds."""
        done = asyncio.wrap_future(session.done)
        await asyncio.wait({done}, timeout=STOP)
        return session.done.done()

    async def drain(self) -> None:
        """End every session and let nothing begin; listeners still get what that brings."""
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
        """End everything: sessions, ticker, threads."""
        await self.drain()
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
        if self._loader is not None:
            await asyncio.to_thread(self._loader.join, STOP_LOADING)
        if self._preparing is not None:
            await asyncio.to_thread(self._preparing.join, STOP_LOADING)
        if self._keeper is not None and not await asyncio.to_thread(self._keeper.stop, STOP):
            _log.error("evidence was still being written after %.0f s", STOP)
        for pool in (self.pool, self.words_pool):
            if not await asyncio.to_thread(pool.stop, STOP):
                _log.error("a worker did not end within %.0f s", STOP)
        if isinstance(self._journal, RecordedJournal) and self._journal.trouble:
            self._journal.give_up()
        delivered = await asyncio.to_thread(self.outbox.stop, STOP)
        if not delivered:
            _log.error("%d events were not told within %.0f s", self.outbox.waiting, STOP)
        if self.signals is not None and not await asyncio.to_thread(self.signals.stop, STOP):
            _log.error("the last signals could not be written within %.0f s", STOP)
        if self._webhooks is not None and not await asyncio.to_thread(self._webhooks.stop, STOP):
            _log.error("a webhook was still being waited for after %.0f s", STOP)
        if self.archive is not None:
            await asyncio.to_thread(self.archive.close, clean=delivered)

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        settings = self.settings
        try:
            store = ModelStore(settings.models_folder, settings.models_mirror)
            models = load_senses(store, object_model=settings.object_model)
            warm_up(models)
        except ProctoringError as error:
            _call(loop, self._failed, error.detail)
        except Exception as error:  # noqa: BLE001  # whatever it is, health must say it
            _log.exception("the models could not be loaded")
            _call(loop, self._failed, f"the models could not be loaded: {error}")
        else:
            _call(loop, self._ready, models)

    def _ready(self, models: Senses) -> None:
        settings = self.settings
        self._models = models
        self._transcribers = transcribers = Transcribers(
            ModelStore(settings.models_folder, settings.models_mirror),
            models.audio.voice_activity,
            deepgram_key=settings.deepgram_key,
            deepgram=DeepgramSettings(url=settings.deepgram_url, closing=LAST_WORDS),
        )
        wanted = {self.default_policy.transcription.engine}
        self._preparing = Thread(
            target=transcribers.prepare, args=(wanted,), name="transcribers", daemon=True
        )
        self._preparing.start()
        if self._keeper is not None and models.vision.faces is not None:
            self._keeper.find = partial(find_everybody, models.vision.faces.detector)
        self._sessions = Registry(
            models=models.vision,
            audio=models.audio,
            pool=self.pool,
            outbox=self.outbox,
            tally=self.tally,
            wall=self._wall,
            max_sessions=settings.max_sessions,
            lifetime=Lifetime(settings.session_grace, settings.session_patience),
            keep_events=settings.keep_events,
            max_pixels=settings.max_frame_pixels,
            signals=self.signals,
            transcription=TranscriptionService(transcribers, self.words_pool),
            evidence=self._keeper,
            evidence_bytes=settings.evidence_ring_bytes,
        )
        for capability in self.capabilities:
            if capability.available:
                by = f", by {capability.model}" if capability.model else ""
                _log.info("%s: on%s", capability.name, by)
            elif capability.wanted:
                _log.warning("%s: off: %s", capability.name, capability.reason)

    def _failed(self, reason: str) -> None:
        self._failure = reason
        _log.error("%s", reason)

    async def _tick(self) -> None:
        seen_at = swept_at = self.now()
        while True:
            await asyncio.sleep(TICK)
            if self.archive is not None and self.now() - seen_at >= SEEN:
                seen_at = self.now()
                asyncio.get_running_loop().run_in_executor(None, self._be_seen, self.archive)
            if self.archive is not None and self.now() - swept_at >= SWEEP:
                swept_at = self.now()
                asyncio.get_running_loop().run_in_executor(None, self._sweep, self.archive)
            if self._sessions is None:
                continue
            try:
                self._sessions.tick(self.now())
            except Exception:  # noqa: BLE001  # the next tick may do better; sessions must not go unwatched
                _log.exception("a look at the sessions failed")

    def _be_seen(self, archive: Archive) -> None:
        try:
            archive.seen(self._wall())
        except SQLAlchemyError:
            _log.warning("the database could not be told that this server lives")

    def _sweep(self, archive: Archive) -> None:
        """Erase what policies let be kept no longer."""
        unbegun = self.default_policy.records.keep_days
        try:
            for done in sweep(archive.engine, archive.signer, self._wall(), unbegun):
                if self.ledger is not None:
                    self.ledger.drop(done.digests)
                _log.info("erased a sitting: %s", done.record.reason)
            queue = WebhookQueue(archive.engine, wall=self._wall)
            if gone := queue.forget_unserved(UNSERVED):
                _log.info("%d messages to webhooks that nobody serves are given up", gone)
        except Exception as error:  # noqa: BLE001  # the next sweep may do better
            # Not what it says: PostgreSQL names the very row.
            name = type(error).__name__
            _log.error("records that are too old could not all be erased: %s", name)


def _open(settings: Settings, now: datetime) -> tuple[Archive | None, str]:
    """The archive, or why there is none.

    Raises:
        SettingsError: the database that the operator named cannot be used.
    """
    database = settings.database
    try:
        chosen = None if database is None else database.get_secret_value()
        return open_archive(chosen, settings.data_folder, now), ""
    except SettingsError as error:
        if database is not None:
            raise
        _log.error("nothing is recorded: %s", error.detail)
        return None, f"nothing is recorded: {error.detail}"


def _learn_face(models: VisionModels, photo: str) -> Embedding:
    try:
        data = base64.b64decode(photo, validate=True)
    except ValueError as error:
        raise BadPhotoError("reference_photo is not base64") from error
    return read_photo(models, data)


def _learn_voice(models: AudioModels, reference: str) -> VoiceReference:
    try:
        data = base64.b64decode(reference, validate=True)
    except ValueError as error:
        raise BadVoiceError("reference_voice is not base64") from error
    return read_reference(models, decode_reference(data))


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits for it any more
        loop.call_soon_threadsafe(function, *args)
