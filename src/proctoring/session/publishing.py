"""The last sink of a session: publishes and records its events."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

from proctoring.judgement.state import JudgementState
from proctoring.records.entries import PendingEvent, SittingEnded, SittingRef, SittingSaved
from proctoring.session.kept import BiometricState, HotState, LearnedState
from proctoring.session.outcomes import JudgementUpdate, Outcome, SessionEnded
from proctoring.session.storage import SessionStorage


class SessionPublisher:
    """Puts incident changes, notices and the end of a session into the outbox.

    Args:
        wall: the time of day, with its zone.
        keeps: whether the state of the session is kept, so that another process can continue it.
    """

    def __init__(
        self,
        sitting: SittingRef,
        storage: SessionStorage,
        wall: Callable[[], datetime],
        *,
        keeps: bool,
    ) -> None:
        self._sitting = sitting
        self._storage = storage
        self._wall = wall
        self._withdrawn = False
        self._keeps = keeps
        self.done: Future[None] = Future()
        """Set when the end of the session, and so everything before it, is stored and published."""
        self.newest: Future[None] | None = None
        """Of the last event: set when it is stored and published."""

    def withdraw(self) -> None:
        """Publish nothing from now on, not even the end: another server does."""
        self._withdrawn = True

    def accept(self, outcome: Outcome) -> None:
        """Publish an outcome, if it is to be published."""
        match outcome:
            case SessionEnded() if self._withdrawn:
                self._storage.end_observations(self._sitting)
                self.done.set_result(None)
            case _ if self._withdrawn:
                pass
            case JudgementUpdate(time, changes, notice):
                if changes or notice is not None:
                    state = outcome.state if self._keeps else None
                    pending = PendingEvent(
                        self._sitting, self._wall(), time, changes, notice, state
                    )
                    self.newest = self._storage.outbox.publish(pending)
            case SessionEnded(time, detail, face):
                self._storage.end_observations(self._sitting)
                entry = SittingEnded(self._sitting, self._wall(), time, detail, face)
                published = self._storage.outbox.end(entry)
                published.add_done_callback(lambda _: self.done.set_result(None))

    def save(
        self,
        time: float,
        judgement: JudgementState,
        hot: HotState,
        learned: LearnedState | None,
        biometrics: BiometricState | None,
        *,
        last: bool,
    ) -> None:
        """Keep the state of the session as it is after all that was published so far.

        Args:
            time: media time in seconds.
            judgement: what judgement knows.
            hot: what changes all the time.
            learned: ``None``: as kept before.
            biometrics: ``None``: as kept before, or not to be kept.
            last: the session is left to another process.
        """
        if self._keeps:
            saved = SittingSaved(
                self._sitting, self._wall(), time, judgement, hot, learned, biometrics
            )
            self._storage.outbox.save(saved, last=last)
