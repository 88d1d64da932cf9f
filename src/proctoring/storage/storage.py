"""What the service needs of storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from proctoring.capabilities import Capability
from proctoring.records.archive import Archive
from proctoring.records.erasure import Erasure
from proctoring.records.evidence.ledger import EvidenceContent
from proctoring.session.continuing import LeftSession
from proctoring.session.evidence.face_search import FindFaces
from proctoring.session.storage import SessionStorage


class Storage(SessionStorage, Protocol):
    """One process's storage. Methods may wait for a disk: call them outside the event loop.

    ``start``, ``find_faces_with`` and the properties return at once.
    """

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Whether records, evidence and webhooks (where any are configured) work."""

    @property
    def records(self) -> Archive:
        """The database of records.

        Raises:
            RecordsOffError: there is none.
        """

    def believe_gone(self, is_gone: Callable[[str], bool]) -> None:
        """Have this function say, by its id, whether a server is gone. It may block."""

    def start(self) -> None:
        """Start the threads that write."""

    def find_faces_with(self, find: FindFaces) -> None:
        """Set the face detector that finds bystanders in evidence."""

    def stop_evidence(self, timeout: float) -> None:
        """Finish the evidence that waits; discard, and log, what takes longer than ``timeout`` s.

        Called before ``stop``, while sessions can still publish that evidence was stored.
        """

    def stop(self, timeout: float) -> None:
        """Write what waits, end all threads and close the database.

        Each thread has ``timeout`` seconds; what could not be written is logged.
        """

    def heartbeat(self) -> None:
        """Record that this process lives. Called every ``records.archive.HEARTBEAT`` seconds."""

    def sweep(self) -> None:
        """Erase what policies no longer allow to be kept. Called now and then."""

    def left_sessions(self, *, first: bool) -> tuple[str, ...]:
        """Ids of the sessions that servers left which are gone, oldest first.

        Args:
            first: this process has just started: it continues those of any server that is gone.
                Later only those of servers that have been gone for ``records.archive.DEAD_AFTER``, which
                nobody started again.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database cannot be read now.
        """

    def claim(self, session_id: str) -> LeftSession | None:
        """Take over a session that a server left which is gone; ``None`` if there is none to continue.

        Raises:
            SessionMovedError: another server took it over at this moment.
            sqlalchemy.exc.SQLAlchemyError: the database cannot be used now.
        """

    def abandon(self, found: LeftSession) -> None:
        """End a session's sitting, which was claimed and cannot be continued after all."""

    def write_observations(self, sitting_id: str) -> None:
        """Write a sitting's waiting observations now.

        Raises:
            RecordsOffError: nothing is recorded.
            sqlalchemy.exc.SQLAlchemyError: they could not be written; they wait on.
        """

    def evidence(self, sitting_id: str, digest: str) -> EvidenceContent:
        """A piece of one sitting's evidence, verified.

        Raises:
            UnknownEvidenceError: the sitting has no such evidence.
            EvidenceUnavailableError, EvidenceKeyMissingError: it cannot be read now, or not here.
            EvidenceDamagedError: it was changed.
        """

    def erase(self, sitting_id: str, reason: str, erased_by: str) -> Erasure:
        """Erase a sitting with its observations and evidence; returns the record of the erasure.

        Raises:
            UnknownRecordError: there is no such sitting.
            SittingOpenError: it is still open.
            ErasureBusyError: other erasures are being written.
            RecordsOffError: nothing is recorded.
        """

    def erase_consents(self, session_id: str, reason: str, erased_by: str) -> Erasure:
        """Erase consents of a session id whose session has not started; returns the record of it.

        Raises:
            UnknownRecordError: there are none.
            ErasureBusyError: other erasures are being written.
            RecordsOffError: nothing is recorded.
        """
