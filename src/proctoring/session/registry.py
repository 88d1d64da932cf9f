"""The sessions of this process by session id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from proctoring.errors import (
    ProctoringError,
    SessionClosingError,
    SessionExistsError,
    SessionMovedError,
)
from proctoring.judgement.policy import Policy
from proctoring.session.admission import Admission, LoadReading
from proctoring.session.continuing import LeftSession
from proctoring.session.factory import (
    NewSession,
    SessionLimits,
    SessionServices,
    continue_session,
    create_session,
)
from proctoring.session.identifier import check_session_id
from proctoring.session.keeper import HOT_PERIOD
from proctoring.session.media_source import SessionState
from proctoring.session.session import Session
from proctoring.vision.identity.reference import FaceReference

MAX_REMEMBERED = 1000
"""Ended sessions whose events can still be read; beyond, the oldest are forgotten early."""


@dataclass(frozen=True, slots=True)
class _Open:
    session: Session


@dataclass(frozen=True, slots=True)
class _Closing:
    """Ended, but not everything of it is published yet."""

    session: Session
    ended_at: float
    moved: bool = False
    """It goes on at another server: its id is not remembered here."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Ended and published. Its events can be read; nothing else of it is held."""

    forget_at: float


class Registry:
    """Begins, finds and ends sessions. For the event loop."""

    def __init__(self, services: SessionServices, limits: SessionLimits) -> None:
        self._services = services
        self._limits = limits
        self._admission = Admission(limits.max_sessions, by_load=limits.admission_by_load)
        self._entries: dict[str, _Open | _Closing | _Remembered] = {}
        """Sessions that are remembered are in the order in which they became so."""
        self._kept_at = float("-inf")

    def __len__(self) -> int:
        return sum(isinstance(entry, _Open) for entry in self._entries.values())

    def __iter__(self) -> Iterator[Session]:
        """The open sessions, oldest first."""
        entries = list(self._entries.values())
        return (entry.session for entry in entries if isinstance(entry, _Open))

    def begin(
        self,
        session_id: str,
        policy: Policy,
        now: float,
        *,
        mirrored: bool = False,
        awaited: bool = False,
        face: FaceReference | None = None,
    ) -> Session:
        """Begin a session; the options are those of ``NewSession``.

        Raises:
            BadSessionIdError: the session id is invalid.
            SessionExistsError: it is open.
            SessionClosingError: the previous session with this id is still closing.
            TooManyError, OverloadedError: see ``check_admission``.
        """
        check_session_id(session_id)
        entry = self._entries.get(session_id)
        if isinstance(entry, _Open):
            raise SessionExistsError(f"session {session_id} is open already")
        if isinstance(entry, _Closing):
            raise SessionClosingError("the previous session with this id is still being written")
        self.check_admission(now)
        new = NewSession(session_id, policy, mirrored, awaited, face)
        session = create_session(self._services, self._limits, new, now)
        self._put(session_id, _Open(session))
        self._admission.begun(now)
        self._services.metrics.sessions_begun.inc()
        return session

    def continue_(self, found: LeftSession, now: float) -> Session:
        """Go on with a session that another process left. Never refused for load: it was admitted once,
        and its candidate sits an exam."""
        session = continue_session(self._services, self._limits, found, now)
        self._put(session.session_id, _Open(session))
        self._admission.begun(now)
        self._services.metrics.sessions_continued.inc()
        return session

    def keep_all(self, now: float, *, last: bool = False) -> list[Future[None]]:
        """Have the states taken of all open sessions in which anything has changed.

        Returns:
            For each of them, when its state is on its way into the records.
        """
        self._kept_at = now
        wall = self._services.wall().timestamp()
        taken = [
            session.keeper.keep(now, wall, last=last)
            for session in self
            if session.keeper is not None
        ]
        return [future for future in taken if future is not None]

    def refusal(self, now: float) -> ProctoringError | None:
        """Why no session may begin now; ``None`` if one may."""
        return self._admission.refusal(self._held, now)

    def check_admission(self, now: float) -> None:
        """Check that one more session may begin, before anything is done for it.

        Raises:
            TooManyError: as many sessions are open as are allowed.
            OverloadedError: the workers have no time for one more.
        """
        self._admission.refuse(self._held, now)

    @property
    def refused(self) -> Mapping[str, int]:
        """Sessions refused so far, by the code of the error."""
        return self._admission.refused

    @property
    def _held(self) -> int:
        """Sessions that are open or closing."""
        return sum(isinstance(entry, _Open | _Closing) for entry in self._entries.values())

    @property
    def sittings(self) -> set[tuple[str, int]]:
        """Sitting and epoch of the sessions that are open or closing."""
        held = [e.session for e in self._entries.values() if isinstance(e, _Open | _Closing)]
        return {(session.sitting_id, session.epoch) for session in held}

    def find(self, session_id: str) -> Session | None:
        """The open session with this id."""
        entry = self._entries.get(session_id)
        return entry.session if isinstance(entry, _Open) else None

    def holds(self, session_id: str) -> bool:
        """Whether the session with this id is open here, or has ended here and is not ``done`` yet."""
        entry = self._entries.get(session_id)
        return isinstance(entry, _Open) or (isinstance(entry, _Closing) and not entry.moved)

    def closing(self, session_id: str) -> Session | None:
        """The session with this id that has ended and is not ``done`` yet."""
        self._collect()
        entry = self._entries.get(session_id)
        return entry.session if isinstance(entry, _Closing) else None

    def is_remembered(self, session_id: str) -> bool:
        """Whether a session with this id has ended and its events can still be read."""
        self._collect()
        entry = self._entries.get(session_id)
        return isinstance(entry, _Remembered) or (isinstance(entry, _Closing) and not entry.moved)

    def end(self, session_id: str, detail: str, now: float) -> Session | None:
        """End the open session with this id, if there is one. It is over when it is ``done``."""
        session = self.find(session_id)
        if session is not None:
            session.end(detail, now)
            self._close(session, now)
        return session

    def stop(self, session: Session, detail: str, now: float) -> None:
        """Leave a session to another process, if its state is kept; else end it."""
        if session.keeper is None:
            self.end(session.session_id, detail, now)
        else:
            self.release(session, detail, now)

    def fence(self, sitting_id: str, epoch: int, now: float) -> None:
        """Another server owns this sitting: close its session's sockets, and publish nothing more."""
        for entry in list(self._entries.values()):
            if isinstance(entry, _Open | _Closing):
                session = entry.session
                if (session.sitting_id, session.epoch) == (sitting_id, epoch):
                    self.release(session, "the session goes on at another server", now)

    def leave(self, session: Session, detail: str, now: float) -> Future[None] | None:
        """Close a session's sockets and have its state taken; ``finish_leaving`` lets go of it.

        Returns:
            Set when the state is on its way into the records; ``None``: none is kept, the session ends.
        """
        if session.keeper is None:
            self.end(session.session_id, detail, now)
            return None
        session.leave(detail)
        self._entries[session.session_id] = _Closing(session, now, moved=True)
        return session.keeper.keep(now, self._services.wall().timestamp(), last=True)

    def finish_leaving(self, session: Session, detail: str, now: float) -> None:
        """Let go of a session that was left, once all of it is written."""
        if session.state is SessionState.MOVED:
            session.finish_leaving(detail, now)
            outbox = self._services.storage.outbox
            outbox.close_listeners(session.session_id, SessionMovedError(detail))

    def release(self, session: Session, detail: str, now: float) -> None:
        """Let go of a session without ending its sitting; see ``Session.release``."""
        session.release(detail, now)
        self._entries[session.session_id] = _Closing(session, now, moved=True)
        outbox = self._services.storage.outbox
        outbox.close_listeners(session.session_id, SessionMovedError(detail))

    def tick(self, now: float) -> None:
        """Advance all sessions and the worker pools. To be called a few times a second."""
        pool = self._services.pool
        pool.update_rates()
        self._admission.observe(LoadReading(pool.needed, pool.rate, pool.active), now)
        if self._services.transcription is not None:
            self._services.transcription.pool.update_rates()
        # The states taken at the tick before are written together.
        self._services.storage.outbox.write_saved()
        if now - self._kept_at >= HOT_PERIOD:
            self.keep_all(now)
        for session in self:
            session.tick(now)
            if session.state is SessionState.ENDED:
                self._close(session, now)
        self._collect()
        for session_id, entry in self._remembered():
            if entry.forget_at > now:
                break
            self._forget(session_id)

    def _close(self, session: Session, now: float) -> None:
        self._entries[session.session_id] = _Closing(session, now)
        self._services.metrics.sessions_ended.inc()

    def _collect(self) -> None:
        """Let go of the sessions that are done; remember their ids."""
        for session_id, entry in list(self._entries.items()):
            if not isinstance(entry, _Closing) or not entry.session.done.done():
                continue
            if entry.moved:
                self._forget(session_id)
            else:
                self._put(session_id, _Remembered(entry.ended_at + self._limits.keep_events))
        remembered = self._remembered()
        for session_id, _ in remembered[: max(0, len(remembered) - MAX_REMEMBERED)]:
            self._forget(session_id)

    def _remembered(self) -> list[tuple[str, _Remembered]]:
        return [(k, entry) for k, entry in self._entries.items() if isinstance(entry, _Remembered)]

    def _put(self, session_id: str, entry: _Open | _Remembered) -> None:
        """Set an entry, as the last in order."""
        self._entries.pop(session_id, None)
        self._entries[session_id] = entry

    def _forget(self, session_id: str) -> None:
        del self._entries[session_id]
        self._services.storage.outbox.forget(session_id)
