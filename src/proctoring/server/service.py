"""What one server process runs, from its settings: models, workers, sessions and storage."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry

from proctoring.capabilities import Capability
from proctoring.delivery.outbox import Outbox
from proctoring.errors import (
    BadPolicyError,
    NotReadyError,
    ProctoringError,
    SessionExistsError,
    SettingsError,
)
from proctoring.judgement.policy import Policy, read_policies
from proctoring.models.runtime import available_cores
from proctoring.records.archive import HEARTBEAT
from proctoring.server.access import access_mode
from proctoring.server.connections import ConnectionLimits, Connections
from proctoring.server.descriptors import connections_allowed
from proctoring.server.hand_over import Draining
from proctoring.server.left_sessions import LeftSessions
from proctoring.server.model_loading import ModelLoading
from proctoring.server.open_cluster import open_cluster
from proctoring.server.open_storage import open_storage
from proctoring.server.periodic import call_on, cancel, repeat, repeat_on_thread
from proctoring.server.rate_limit import ClientLimit
from proctoring.server.ready_service import ReadyService, ready_service
from proctoring.server.recorded import until_done, until_recorded
from proctoring.server.references import ReferenceLearning
from proctoring.server.socket_counts import SocketCounts
from proctoring.server.status import Status, log_capabilities
from proctoring.session.loaded_models import Models
from proctoring.session.registry import Registry
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.worker_pool import WorkerPool
from proctoring.settings import Settings
from proctoring.storage.storage import Storage
from proctoring.vision.identity.reference import FaceReference

_log = logging.getLogger(__name__)

TICK_PERIOD = 0.25
"""Seconds between two ticks of the sessions: missing media and ends are noticed that much later."""

STOP_TIMEOUT = 5.0
"""Seconds that sessions, and then each thread, have to end when the server stops."""

SWEEP_PERIOD = 3600.0
"""Seconds between two sweeps of records: policies count in days."""

CONSENTS_PER_SECOND = 2.0
"""Consents of one session id, each a transaction of its own; four at once."""

LOADING_STOP_TIMEOUT = 30.0
"""Seconds that loading has to end: it cannot be interrupted, and the runtime crashes if the process
exits while a model is being compiled."""


class Service:
    """One process's service. Every method is for the event loop; none of them blocks it.

    Args:
        settings: the operator's.
        models: models that are loaded already; otherwise ``start`` fetches and loads them.
        loading: of the models, started already or not.
        loading_ended: called once, on the event loop: models are loaded or could not be, or the
            server stops.
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
        loading: ModelLoading | None = None,
        loading_ended: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.access = access_mode(settings)
        self.now = monotonic
        self.policies = read_policies(settings.policies)
        """Those that sessions can be created with."""
        for problem in self.policies.problems:
            _log.warning("a policy is not used: %s", problem)
        try:
            self.default_policy = self.policies.load(settings.default_policy)
        except BadPolicyError as error:
            raise SettingsError(f"default policy: {error.detail}") from error
        self.consent_limit = ClientLimit(CONSENTS_PER_SECOND)
        """By session id."""
        self.connections = Connections(
            ConnectionLimits(
                most=connections_allowed(settings.max_connections),
                message_memory=settings.message_memory,
                request_timeout=settings.request_timeout,
                message_timeout=settings.message_timeout,
            )
        )
        """Those of the server that serves this."""
        self.socket_counts = SocketCounts(settings.sockets_per_session, settings.sockets_per_token)
        self.metrics = CollectorRegistry()
        self.session_metrics = SessionMetrics(self.metrics)
        self.storage: Storage = open_storage(
            settings,
            unbegun_days=self.default_policy.records.retention_days,
            metrics=self.session_metrics,
            wall=wall,
        )
        self.cluster = open_cluster(
            settings,
            self.storage,
            sessions=lambda: None if self._ready is None else self._ready.sessions,
            continue_=self.find,
            now=monotonic,
        )
        """``None``: this server is alone."""
        self.pool = WorkerPool(settings.workers, cores=available_cores())
        self.transcription_pool = WorkerPool(1, name="transcription")
        """Transcribes; analysis never waits for it."""
        self._wall = wall
        self._given_models = models
        self._loading = loading or ModelLoading(settings)
        self._loading_ended = loading_ended
        self.references = ReferenceLearning(lambda: self._checked_ready().models)
        self._ready: ReadyService | None = None
        """``None`` until models are loaded."""
        self._left = LeftSessions(self.storage, lambda: self.sessions, self.now)
        self._failure = ""
        self._stopping = False
        self.draining = Draining(settings, monotonic)
        self._periodic: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def status(self) -> Status:
        """How the service is now."""
        if self._stopping:
            return Status.STOPPING
        if self.draining.active:
            return Status.DRAINING
        if self._failure:
            return Status.FAILED
        if self._ready is None:
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
        if self._ready is None:
            return ()
        found = (*self._ready.capabilities, *self.storage.capabilities)
        if self.settings.policies is None:
            return found
        trouble = "; ".join(self.policies.problems[:3])
        return (*found, Capability("policies", not trouble, trouble, model=""))

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
        return self._checked_ready().sessions

    def _checked_ready(self) -> ReadyService:
        if self._stopping:
            raise NotReadyError("the server is stopping")
        if self._failure:
            raise NotReadyError(f"the server could not start: {self._failure}")
        if self._ready is None:
            raise NotReadyError(f"the server is starting: {self._loading.doing}")
        if self.cluster is not None:
            self.cluster.check()
        return self._ready

    def check_ready(self) -> None:
        """Return if sessions can begin and something is analysed in them.

        Raises:
            NotReadyError: they cannot, or nothing is; with the reasons.
        """
        analysing = self._checked_ready().models.capabilities
        if not any(found.available for found in analysing):
            reasons = dict.fromkeys(found.reason for found in analysing if found.wanted)
            raise NotReadyError(f"nothing can be analysed: {'; '.join(reasons)}")

    @property
    def loading(self) -> bool:
        """Whether models are being fetched or loaded now, a transcriber's included."""
        preparing = self._ready is not None and self._ready.preparing.is_alive()
        return self._loading.running or preparing

    @property
    def open_sessions(self) -> int:
        """How many sessions are open, whatever the status."""
        return 0 if self._ready is None else len(self._ready.sessions)

    @property
    def slowed_sessions(self) -> int:
        """How many open sessions are analysed at less than the full rate."""
        return 0 if self._ready is None else sum(s.rate < 1 for s in self._ready.sessions)

    @property
    def refusal(self) -> ProctoringError | None:
        """Why no session may begin now; ``None`` if one may."""
        try:
            self.draining.check()
            return self.sessions.refusal(self.now())
        except NotReadyError as error:
            return error

    @property
    def refused_sessions(self) -> Mapping[str, int]:
        """Sessions refused so far, by the code of the error."""
        return {} if self._ready is None else self._ready.sessions.refused

    async def start(self) -> None:
        """Start all threads and periodic work, and load the models beside the event loop."""
        self._loop = asyncio.get_running_loop()
        self.storage.start()
        self.pool.start()
        self.transcription_pool.start()
        if self.cluster is not None:
            self.cluster.start()
        self._periodic = [
            asyncio.create_task(repeat(TICK_PERIOD, self._tick)),
            asyncio.create_task(repeat_on_thread(HEARTBEAT, self.storage.heartbeat)),
            asyncio.create_task(repeat_on_thread(SWEEP_PERIOD, self.storage.sweep)),
        ]
        if self._given_models is not None:
            self._set_ready(self._given_models)
            return
        self._loading.when_done(
            partial(call_on, self._loop, self._set_ready), partial(call_on, self._loop, self._fail)
        )
        self._loading.start()

    async def join(self, session_id: str, *, mirrored: bool = False) -> Session:
        """The open session of this id; begun, under the default policy, if there is none.

        Raises:
            NotReadyError, BadSessionIdError, SessionClosingError, TooManyError,
                OverloadedError: it cannot begin.
        """
        closing = self.sessions.closing(session_id)
        if closing is not None:
            await self.until_done(closing)
        session = await self.find(session_id) or self.sessions.find(session_id)
        if session is None:
            self.draining.check()
            policy, now = self.default_policy, self.now()
            session = self.sessions.begin(session_id, policy, now, mirrored=mirrored)
        return await until_recorded(session, STOP_TIMEOUT)

    async def find(self, session_id: str) -> Session | None:
        """The open session of this id, continued if another process left it: see ``LeftSessions.find``."""
        return await self._left.find(session_id)

    async def create(
        self, session_id: str, policy: Policy, *, mirrored: bool, face: FaceReference | None = None
    ) -> Session:
        """Begin a session before its first socket.

        Raises:
            NotReadyError, BadSessionIdError, SessionExistsError, SessionClosingError,
                TooManyError, OverloadedError: it cannot begin.
        """
        closing = self.sessions.closing(session_id)
        if closing is not None:
            await self.until_done(closing)
        if self.cluster is not None and await self.cluster.placement.of(session_id) is not None:
            raise SessionExistsError(f"session {session_id} is open already, at another server")
        await self.find(session_id)
        self.draining.check()
        session = self.sessions.begin(
            session_id, policy, self.now(), mirrored=mirrored, awaited=True, face=face
        )
        return await until_recorded(session, STOP_TIMEOUT)

    def check_admission(self, session_id: str) -> None:
        """Check that a session may begin, unless this one is open or closing.

        Raises:
            NotReadyError, TooManyError, OverloadedError: it cannot.
        """
        sessions = self.sessions
        if sessions.find(session_id) is None and sessions.closing(session_id) is None:
            sessions.check_admission(self.now())

    async def is_over(self, session_id: str) -> bool:
        """Whether the session of this id has ended, here or elsewhere, and its events can still be read."""
        sessions = self.sessions
        if sessions.find(session_id) is not None:
            return False
        if self.cluster is not None:
            return await self.cluster.placement.has_ended(session_id, self.settings.keep_events)
        return sessions.is_remembered(session_id)

    async def until_done(self, session: Session) -> bool:
        """Wait until an ending session is over. Returns whether it is, within ``STOP_TIMEOUT`` seconds."""
        done = asyncio.wrap_future(session.done)
        await asyncio.wait({done}, timeout=STOP_TIMEOUT)
        return session.done.done()

    async def drain(self) -> None:
        """Leave every session to the next process and let none begin. Those whose state is not kept end;
        listeners still receive their last events."""
        self._stopping = True
        self._loading_ended()
        if self.cluster is not None:
            self.cluster.drain()
        if self._ready is None:
            return
        sessions = self._ready.sessions
        await until_done(sessions.keep_all(self.now(), last=True), STOP_TIMEOUT)
        stopping = list(sessions)
        for session in stopping:
            sessions.stop(session, "the server stops", self.now())
        await until_done((session.done for session in stopping), STOP_TIMEOUT)

    async def stop(self) -> None:
        """End sessions, periodic work and threads, and close the storage."""
        await self.drain()
        await cancel(self._periodic)
        await asyncio.to_thread(self._loading.join, LOADING_STOP_TIMEOUT)
        if self._ready is not None:
            await asyncio.to_thread(self._ready.preparing.join, LOADING_STOP_TIMEOUT)
        await asyncio.to_thread(self.storage.stop_evidence, STOP_TIMEOUT)
        for pool in (self.pool, self.transcription_pool):
            if not await asyncio.to_thread(pool.stop, STOP_TIMEOUT):
                _log.error("a worker did not end within %.0f s", STOP_TIMEOUT)
        if self.cluster is not None:
            await self.cluster.stop()
        await asyncio.to_thread(self.storage.stop, STOP_TIMEOUT)

    def _set_ready(self, models: Models) -> None:
        self._ready = ready_service(
            self.settings,
            models,
            self._loading.store,
            engine=self.default_policy.transcription.engine,
            storage=self.storage,
            metrics=self.session_metrics,
            pool=self.pool,
            transcription_pool=self.transcription_pool,
            wall=self._wall,
            now=self.now,
        )
        if self.cluster is not None:
            self.cluster.serve()  # looks for left sessions itself
            self.draining.release = self.cluster.hand_over
        elif self.storage.keeps_states:
            self._periodic.append(asyncio.create_task(self._left.adopt()))
        self._loading_ended()
        log_capabilities(self.capabilities)

    def _fail(self, reason: str) -> None:
        self._failure = reason
        self._loading_ended()
        _log.error("%s", reason)

    def _tick(self) -> None:
        if self._ready is not None:
            self._ready.sessions.tick(self.now())
