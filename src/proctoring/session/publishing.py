"""The last sink of a session: publishes and records its events."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

from proctoring.records.entries import PendingEvent, SittingEnded, SittingRef
from proctoring.session.outcomes import JudgementUpdate, Outcome, SessionEnded
from proctoring.session.storage import SessionStorage


class SessionPublisher:
    """Puts incident changes, notices and the end of a session into the outbox.

    Args:
        wall: the time of day, with its zone.
    """

    def __init__(
        self, sitting: SittingRef, storage: SessionStorage, wall: Callable[[], datetime]
    ) -> None:
        self._sitting = sitting
        self._storage = storage
        self._wall = wall
        self._withdrawn = False
        self.done: Future[None] = Future()
        """Set when the end of the session, and so everything before it, is stored and published."""

    def withdraw(self) -> None:
        """Publish nothing from now on, not even the end: another server does."""
        self._withdrawn = True

    def accept(self, outcome: Outcome) -> None:
        """Publish an outcome, if it is to be published."""
        match outcome:
            case SessionEnded() if self._withdrawn:
                self._storage.end_observations(self._sitting.id)
                self.done.set_result(None)
            case _ if self._withdrawn:
                pass
            case JudgementUpdate(time, changes, notice):
                if changes or notice is not None:
                    pending = PendingEvent(self._sitting, self._wall(), time, changes, notice)
                    self._storage.outbox.publish(pending)
            case SessionEnded(time, detail, face):
                self._storage.end_observations(self._sitting.id)
                entry = SittingEnded(self._sitting, self._wall(), time, detail, face)
                published = self._storage.outbox.end(entry)
                published.add_done_callback(lambda _: self.done.set_result(None))
