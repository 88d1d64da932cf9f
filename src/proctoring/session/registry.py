"""Every session of this process, by name."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import datetime
from functools import partial

from proctoring.audio.analyser import AudioModels
from proctoring.delivery.events import Message, Notice, SittingRef, beginning, ending, sitting_id
from proctoring.errors import SessionExistsError, TooManyError
from proctoring.incidents import IncidentChange
from proctoring.judgement.policy import Policy
from proctoring.session.identifier import check_session_id
from proctoring.session.pipeline import Pipeline
from proctoring.session.pool import Pool
from proctoring.session.session import Lifetime, Session, State
from proctoring.session.storage import SessionStorage
from proctoring.session.tally import Tally
from proctoring.session.transcribing import TranscriptionService
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.identity.embedding import Embedding
from proctoring.vision.networks import VisionModels

MAX_REMEMBERED = 1000
"""Ended sessions whose events can still be read; beyond, the oldest go before their time."""


class Registry:
    """Begins, finds and ends sessions. For the one thread where messages arrive.

    Args:
        models: what all sessions see with.
        audio: what all sessions hear with.
        pool: does all sessions' work.
        storage: where events, observations and evidence go.
        tally: counts.
        wall: the time of day, with its zone.
        max_sessions: how many may be open at once.
        lifetime: when one that nobody ends is over.
        keep_events: seconds for which an ended session's events can still be read.
        max_pixels: largest picture that is looked at.
        transcription: makes words of speech, where a policy wants any.
    """

    def __init__(
        self,
        *,
        models: VisionModels,
        audio: AudioModels,
        pool: Pool,
        storage: SessionStorage,
        tally: Tally,
        wall: Callable[[], datetime],
        max_sessions: int,
        lifetime: Lifetime,
        keep_events: float,
        max_pixels: int,
        transcription: TranscriptionService | None = None,
    ) -> None:
        self._models = models
        self._audio = audio
        self._pool = pool
        self._storage = storage
        self._outbox = storage.outbox
        self._tally = tally
        self._wall = wall
        self._max_sessions = max_sessions
        self._lifetime = lifetime
        self._keep_events = keep_events
        self._max_pixels = max_pixels
        self._transcription = transcription
        self._open: dict[str, Session] = {}
        self._closing: dict[str, Session] = {}
        """Ended, but the pool has not published everything yet."""
        self._ended: dict[str, float] = {}
        """Name to when its events go, in the order in which they ended."""
        self._closed_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open.values()))

    def begin(
        self,
        session_id: str,
        policy: Policy,
        now: float,
        *,
        mirrored: bool = False,
        awaited: bool = False,
        face: Embedding | None = None,
    ) -> Session:
        """Begin a session; ``face`` is that of a reference photo.

        Raises:
            BadSessionIdError: the name cannot be one.
            SessionExistsError: it is open already, or just closing.
            TooManyError: as many are open as may be.
        """
        check_session_id(session_id)
        if session_id in self._open or session_id in self._closing:
            raise SessionExistsError(f"session {session_id} is open already")
        if len(self._open) + len(self._closing) >= self._max_sessions:
            raise TooManyError(f"{self._max_sessions} sessions are open, as many as may be")
        sitting = SittingRef(session_id, self._wall())
        seed = secrets.token_hex(16)
        session = Session(
            sitting,
            pipeline=Pipeline(
                policy,
                VisionAnalyser(self._models, mirrored=mirrored, reference=face),
                seed=seed,
                record=self._storage.observation_recorder(sitting_id(sitting), policy.records),
            ),
            pool=self._pool,
            publish=self._publish,
            ended=self._finished,
            tally=self._tally,
            audio=self._audio,
            now=now,
            lifetime=self._lifetime,
            mirrored=mirrored,
            awaited=awaited,
            max_pixels=self._max_pixels,
            transcription=self._transcription,
            evidence=self._storage.evidence_watch(policy.evidence, partial(self._publish, sitting)),
        )
        self._ended.pop(session_id, None)
        session.recorded = self._outbox.begin(
            beginning(sitting, policy.name, policy.to_toml(), mirrored=mirrored, seed=seed)
        )
        self._open[session_id] = session
        self._tally.sessions_begun.inc()
        return session

    def find(self, session_id: str) -> Session | None:
        """The open session of this name."""
        return self._open.get(session_id)

    def closing(self, session_id: str) -> Session | None:
        """The session of this name that has ended and is not ``done`` yet."""
        self._collect()
        return self._closing.get(session_id)

    def is_remembered(self, session_id: str) -> bool:
        """Whether a session of this name has ended and its events can still be read."""
        self._collect()
        return session_id in self._ended or session_id in self._closing

    def end(self, session_id: str, detail: str, now: float) -> Session | None:
        """End the open session of this name, if there is one; its ``done`` tells when it is over."""
        session = self._open.get(session_id)
        if session is not None:
            session.end(detail, now)
            self._close(session, now)
        return session

    def tick(self, now: float) -> None:
        """Watch over all sessions and the pool. To be called a few times a second."""
        self._pool.review()
        if self._transcription is not None:
            self._transcription.pool.review()
        for session in self:
            session.tick(now)
            if session.state is State.ENDED:
                self._close(session, now)
        self._collect()
        while self._ended and next(iter(self._ended.values())) <= now:
            session_id = next(iter(self._ended))
            del self._ended[session_id]
            self._outbox.forget(session_id)

    def _publish(
        self,
        sitting: SittingRef,
        media_time: float,
        changes: tuple[IncidentChange, ...],
        notice: Notice | None,
    ) -> None:
        """From the pool's threads."""
        self._outbox.publish(Message(sitting, self._wall(), media_time, changes, notice))

    def _finished(
        self, sitting: SittingRef, media_time: float, detail: str, face: tuple[float, ...] | None
    ) -> Future[None]:
        """From the pool's threads."""
        self._storage.end_observations(sitting_id(sitting))
        return self._outbox.end(ending(sitting, self._wall(), media_time, detail, face))

    def _close(self, session: Session, now: float) -> None:
        del self._open[session.session_id]
        self._closing[session.session_id] = session
        self._closed_at[session.session_id] = now
        self._tally.sessions_ended.inc()

    def _collect(self) -> None:
        for session_id, session in list(self._closing.items()):
            if session.done.done():
                del self._closing[session_id]
                self._ended[session_id] = self._closed_at.pop(session_id) + self._keep_events
                while len(self._ended) > MAX_REMEMBERED:
                    oldest = next(iter(self._ended))
                    del self._ended[oldest]
                    self._outbox.forget(oldest)
