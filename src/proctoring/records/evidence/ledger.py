"""Registers stored evidence, so that none is left without an incident or after an erasure.

A piece is registered before it is stored. Its incident refers to it from the transaction of the event
that announces it (``records/incident_changes.py``). A piece to which no incident refers is deleted: at
once when its sitting is erased, otherwise by ``tidy``, which repeats while the store does not answer.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from proctoring.capabilities import Capability
from proctoring.errors import EvidenceUnavailableError, UnknownEvidenceError
from proctoring.records.database import reading, writing
from proctoring.records.evidence.vault import EvidenceVault
from proctoring.records.tables import EvidenceObjectRow, IncidentEvidenceRow

_log = logging.getLogger(__name__)

GRACE = timedelta(hours=1)
"""How long a piece may be without an incident: its event waits while the database is away."""

_AT_ONCE = 500
"""Pieces that one ``tidy`` deletes, at most."""


@dataclass(frozen=True, slots=True)
class EvidenceContent:
    """A piece of evidence, decrypted."""

    media_type: str
    data: bytes


class EvidenceLedger:
    """The evidence of the records of one database. Every method blocks.

    Args:
        engine: the database.
        vault: where pieces are stored.
        wall: the time of day, with its zone.
    """

    def __init__(
        self,
        engine: Engine,
        vault: EvidenceVault,
        *,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._wall = wall

    @property
    def capability(self) -> Capability:
        """Whether evidence can be stored."""
        return self._vault.capability

    def check(self) -> None:
        """Check whether evidence can be stored."""
        self._vault.check()

    def put(self, data: bytes) -> str:
        """Register and store a piece, for an event that will announce it. Returns its digest.

        Raises:
            EvidenceUnavailableError: database or store cannot be used now, or the same piece is just
                being erased.
        """
        digest = hashlib.sha256(data).hexdigest()
        try:
            self._register(digest, len(data))
        except SQLAlchemyError as error:
            raise EvidenceUnavailableError(
                f"evidence cannot be written down: the database is away ({type(error).__name__})"
            ) from error
        return self._vault.put(data)

    def get(self, sitting_id: str, digest: str) -> EvidenceContent:
        """A piece of one sitting's evidence, verified.

        Raises:
            UnknownEvidenceError: the sitting has no such evidence.
            EvidenceUnavailableError, EvidenceKeyMissingError, EvidenceDamagedError: see ``EvidenceVault.get``.
        """
        query = select(IncidentEvidenceRow.media_type).filter_by(
            sitting_id=sitting_id, digest=digest
        )
        with reading(self._engine) as connection:
            media_type = connection.execute(query.limit(1)).scalar()
        if media_type is None:
            raise UnknownEvidenceError("this sitting has no such evidence")
        return EvidenceContent(media_type, self._vault.get(digest))

    def tidy(self) -> int:
        """Delete pieces that no incident refers to, ``GRACE`` after they were registered.

        Returns:
            How many could not be deleted now.
        """
        try:
            with reading(self._engine) as connection:
                found = connection.execute(
                    select(EvidenceObjectRow.digest)
                    .where(_UNREFERRED, self._past(GRACE))
                    .limit(_AT_ONCE)
                )
                digests = list(found.scalars())
            return self.drop(digests, GRACE)
        except SQLAlchemyError:
            _log.warning("unreferenced evidence could not be deleted: the database is away")
            return 0

    def drop(self, digests: Iterable[str], grace: timedelta = timedelta(0)) -> int:
        """Delete those of the pieces that no incident refers to.

        To be called after the transaction that deleted their rows from ``incident_evidence``.

        Returns:
            How many could not be deleted now; ``tidy`` deletes them once the store answers.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database is away; ``tidy`` does it later.
        """
        left = 0
        for digest in digests:
            if self._mark(digest, grace) and not self._delete(digest):
                left += 1
        if left:
            _log.warning("%d erased pieces of evidence could not be deleted yet", left)
        return left

    def _register(self, digest: str, size: int) -> None:
        values = {
            "digest": digest,
            "size_bytes": size,
            "registered_at": self._wall(),
            "deleting": False,
        }
        again = (
            update(EvidenceObjectRow)
            .where(EvidenceObjectRow.digest == digest, EvidenceObjectRow.deleting.is_(False))
            .values(registered_at=self._wall())
        )
        try:
            with writing(self._engine) as connection:
                if connection.execute(again).rowcount:
                    return
                connection.execute(insert(EvidenceObjectRow).values(values))
        except IntegrityError as error:
            raise EvidenceUnavailableError("the same piece is just being erased") from error

    def _mark(self, digest: str, grace: timedelta) -> bool:
        """Mark a piece as being deleted, so that it is not stored again meanwhile."""
        mark = (
            update(EvidenceObjectRow)
            .where(EvidenceObjectRow.digest == digest, _UNREFERRED, self._past(grace))
            .values(deleting=True)
        )
        with writing(self._engine) as connection:
            return bool(connection.execute(mark).rowcount)

    def _past(self, grace: timedelta) -> ColumnElement[bool]:
        return or_(
            EvidenceObjectRow.deleting, EvidenceObjectRow.registered_at <= self._wall() - grace
        )

    def _delete(self, digest: str) -> bool:
        try:
            self._vault.delete(digest)
        except EvidenceUnavailableError:
            return False
        with writing(self._engine) as connection:
            connection.execute(delete(EvidenceObjectRow).filter_by(digest=digest, deleting=True))
        return True


_UNREFERRED = ~exists().where(IncidentEvidenceRow.digest == EvidenceObjectRow.digest)
