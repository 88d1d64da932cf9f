"""Storage in a database of records and an evidence store."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from proctoring.capabilities import Capability
from proctoring.delivery.outbox import Outbox
from proctoring.delivery.recorded import RecordedJournal
from proctoring.delivery.webhooks import ABANDONED_AFTER, Webhooks
from proctoring.judgement.inputs import JudgementInput
from proctoring.judgement.policy.storage import EvidenceSettings, RecordSettings
from proctoring.records.archive import Archive
from proctoring.records.continuation import NOT_CONTINUED, claim_kept, orphans, owners
from proctoring.records.database import writing
from proctoring.records.entries import SittingRef
from proctoring.records.erasure import (
    Erasure,
    ErasureResult,
    empty_log,
    erase,
    erase_consents,
)
from proctoring.records.evidence.ledger import EvidenceContent, EvidenceLedger
from proctoring.records.retention import sweep
from proctoring.records.server_lock import IsGone, forget, forget_gone, hold, is_gone
from proctoring.records.signals import SignalRecorder, discard
from proctoring.records.sitting_state import interrupt
from proctoring.records.webhook_queue import WebhookQueue
from proctoring.session.continuing import LeftSession, decode_parts
from proctoring.session.evidence.face_search import FindFaces
from proctoring.session.evidence.recorder import EvidenceRecorder
from proctoring.session.evidence.writer import EvidenceWriter
from proctoring.session.sinks import Sink

_log = logging.getLogger(__name__)


class RecordedStorage:
    """Everything that one process writes into the database and the evidence store.

    Args:
        archive: the database, opened.
        journal: numbers and writes events.
        outbox: delivers the journal's events.
        signals: writes observations.
        ledger: knows which evidence is stored.
        evidence_writer: encodes and stores evidence.
        webhooks: delivers messages to the endpoints that are configured.
        wall: the time of day, with its zone.
        unbegun_days: days for which a consent is kept whose session never begins.
        evidence_bytes: media held in memory for each session whose policy wants clips.
        data_folder: holds a lock file of each server on this machine.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        journal: RecordedJournal,
        outbox: Outbox,
        signals: SignalRecorder,
        ledger: EvidenceLedger,
        evidence_writer: EvidenceWriter,
        webhooks: Webhooks,
        wall: Callable[[], datetime],
        unbegun_days: float,
        evidence_bytes: int,
        data_folder: Path,
    ) -> None:
        self.records = archive
        self.outbox = outbox
        self._journal = journal
        self._signals = signals
        self._ledger = ledger
        self._evidence_writer = evidence_writer
        self._webhooks = webhooks
        self._wall = wall
        self._unbegun_days = unbegun_days
        self._evidence_bytes = evidence_bytes
        self._data_folder = data_folder
        self._lock = hold(data_folder, archive.server_id)
        self._gone_by_lease: IsGone | None = None
        self._log_emptied = True
        """Whether SQLite's write-ahead log holds nothing that was erased."""

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Whether records, evidence and webhooks work, as far as was tried."""
        trouble = self._journal.trouble or self._signals.trouble
        if not trouble and self.outbox.lost:
            trouble = f"{self.outbox.lost} events were lost"
        records = Capability("records", available=not trouble, reason=trouble, model="")
        return (records, self._evidence_writer.capability, *self._webhooks.capabilities)

    def start(self) -> None:
        """Start the threads that write and deliver."""
        self.outbox.start()
        self._signals.start()
        self._evidence_writer.start()
        self._webhooks.start()

    def find_faces_with(self, find: FindFaces) -> None:
        """Set the face detector that finds bystanders in evidence."""
        self._evidence_writer.find_faces = find

    def stop_evidence(self, timeout: float) -> None:
        """Finish the evidence that waits, as far as ``timeout`` seconds allow."""
        if not self._evidence_writer.stop(timeout):
            _log.error("evidence was still being written after %.0f s", timeout)

    def stop(self, timeout: float) -> None:
        """Write what waits, then close the database; ``timeout`` seconds for each thread."""
        if self._journal.trouble:
            self._journal.give_up()
        delivered = self.outbox.stop(timeout)
        if not delivered:
            _log.error("%d events were not delivered within %.0f s", self.outbox.waiting, timeout)
        if not self._signals.stop(timeout):
            _log.error("the last signals could not be written within %.0f s", timeout)
        if not self._webhooks.stop(timeout):
            _log.error("a webhook was still being waited for after %.0f s", timeout)
        nothing_left = self.records.close(clean=delivered)
        if self._lock is not None:
            self._lock.release()
        if nothing_left:
            forget(self._data_folder, self.records.server_id)

    def heartbeat(self) -> None:
        """Record that this process lives; a failure is logged, the next heartbeat makes up for it."""
        try:
            self.records.heartbeat(self._wall(), self._gone_by_lease)
        except SQLAlchemyError:
            _log.warning("the server's heartbeat could not be written to the database")
        if not self._log_emptied and empty_log(self.records.engine):
            self._log_emptied = True
            _log.info("what was erased is out of the database's write-ahead log, too")

    def sweep(self) -> None:
        """Erase what policies no longer allow to be kept; failures are logged, and tried again."""
        for step in (self._erase_old, self._discard_old_messages):
            try:
                step()
            except Exception as error:  # noqa: BLE001  # the next sweep may succeed
                _log_failed_erasure(error)

    def _erase_old(self) -> None:
        archive, now = self.records, self._wall()
        old = sweep(archive.engine, archive.signer, now, self._unbegun_days, _log_failed_erasure)
        for done in old:
            _log.info("erased a sitting: %s", done.record.reason)
            try:
                self._finish(done)
            except Exception as error:  # noqa: BLE001  # the rest can be erased
                _log_failed_erasure(error)

    def _discard_old_messages(self) -> None:
        queue = WebhookQueue(self.records.engine, wall=self._wall)
        if gone := queue.discard_older(ABANDONED_AFTER):
            _log.info("%d messages to webhooks that no server has configured are discarded", gone)

    @property
    def keeps_states(self) -> bool:
        """Whether sessions can be continued by another process: they are recorded."""
        return True

    def left_sessions(self, *, first: bool) -> tuple[str, ...]:
        """Ids of the sessions that servers left which are gone, oldest first."""
        archive = self.records
        if first:
            forget_gone(self._data_folder, owners(archive.engine) | {archive.server_id})
            return orphans(archive.engine, archive.server_id, self._is_gone)
        return orphans(archive.engine, archive.server_id, self._is_silent)

    def abandon(self, found: LeftSession) -> None:
        """End a session's sitting, which was claimed and cannot be continued after all."""
        with writing(self.records.engine) as connection:
            interrupt(connection, found.kept.sitting.id, self.records.signer, NOT_CONTINUED)

    def _is_silent(self, server_id: str) -> bool:
        return self.records.is_silent(server_id, self._wall())

    def believe_gone(self, is_gone: IsGone) -> None:
        """In a cluster its leases say whether a server is gone, not heartbeats and lock files."""
        self._gone_by_lease = is_gone

    def _is_gone(self, server_id: str) -> bool:
        if self._gone_by_lease is not None:
            return self._gone_by_lease(server_id)
        return self._is_silent(server_id) or is_gone(self._data_folder, server_id)

    def claim(self, session_id: str) -> LeftSession | None:
        """Take over a session that a server left which is gone; ``None`` if there is none to continue."""
        archive = self.records
        kept = claim_kept(
            archive.engine,
            archive.signer,
            archive.sealing,
            session_id,
            server_id=archive.server_id,
            is_gone=self._is_gone,
            now=self._wall(),
        )
        return None if kept is None else decode_parts(kept, archive.sealing)

    def observation_recorder(
        self, sitting: SittingRef, wanted: RecordSettings, *, next_segment: int = 0, lost: int = 0
    ) -> Callable[[JudgementInput], None]:
        """Return the function that records each observation of a sitting, as its policy allows."""
        if not wanted.signals:
            return discard
        return self._signals.begin(
            sitting.id,
            transcripts=wanted.transcripts,
            epoch=sitting.epoch,
            next_segment=next_segment,
            lost=lost,
        )

    def end_observations(self, sitting: SittingRef) -> None:
        """Have what waits of a sitting's observations written; no more will come."""
        self._signals.end(sitting.id, sitting.epoch)

    def evidence_recorder(
        self, settings: EvidenceSettings, publisher: Sink
    ) -> EvidenceRecorder | None:
        """Record a session's evidence; ``None`` if its policy wants none."""
        if not (settings.stills or settings.clips):
            return None
        return EvidenceRecorder(
            settings,
            submit=self._evidence_writer.submit,
            publisher=publisher,
            on_lost=self._evidence_writer.on_lost,
            max_bytes=self._evidence_bytes,
        )

    def write_observations(self, sitting_id: str) -> None:
        """Write a sitting's waiting observations now."""
        self._signals.flush(sitting_id)

    def evidence(self, sitting_id: str, digest: str) -> EvidenceContent:
        """A piece of one sitting's evidence, verified."""
        return self._ledger.get(sitting_id, digest)

    def erase(self, sitting_id: str, reason: str, erased_by: str) -> Erasure:
        """Erase a sitting with its observations and evidence."""
        archive = self.records
        self._signals.flush(sitting_id)  # else they would be written after the erasure
        done = erase(archive.engine, archive.signer, sitting_id, reason, erased_by, self._wall())
        self._finish(done)
        return done.record

    def erase_consents(self, session_id: str, reason: str, erased_by: str) -> Erasure:
        """Erase consents whose session has not started."""
        archive, now = self.records, self._wall()
        done = erase_consents(archive.engine, archive.signer, session_id, reason, erased_by, now)
        self._finish(done)
        return done.record

    def _finish(self, done: ErasureResult) -> None:
        """Delete the evidence of what was erased, and note whether it is still in SQLite's log."""
        if not done.log_emptied and self._log_emptied:
            self._log_emptied = False
            _log.warning(
                "what was erased is still in the database's write-ahead log, which is in use; "
                "emptying it is tried again at every heartbeat"
            )
        self._ledger.drop(done.digests)


def _log_failed_erasure(error: Exception) -> None:
    # Not the error's text: PostgreSQL's quotes the very row.
    _log.error("records that are too old could not all be erased: %s", type(error).__name__)
