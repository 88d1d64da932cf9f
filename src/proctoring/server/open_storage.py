"""Builds the storage that the settings ask for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from proctoring.delivery.journal import Journal, MemoryJournal
from proctoring.delivery.outbox import Outbox
from proctoring.delivery.recorded import RecordedJournal
from proctoring.delivery.webhook_signing import Style
from proctoring.delivery.webhooks import Endpoint, Webhooks
from proctoring.errors import SettingsError
from proctoring.records.archive import Archive, open_archive
from proctoring.records.evidence.ledger import EvidenceLedger
from proctoring.records.evidence.sealing import Keys, read_keys
from proctoring.records.evidence.vault import EvidenceVault, open_store
from proctoring.records.signals import SignalRecorder
from proctoring.records.webhook_queue import WebhookQueue
from proctoring.session.evidence.writer import EvidenceWriter
from proctoring.session.session_metrics import SessionMetrics
from proctoring.settings import Settings
from proctoring.storage.memory import MemoryStorage
from proctoring.storage.recorded import RecordedStorage
from proctoring.storage.storage import Storage

_log = logging.getLogger(__name__)


def open_storage(
    settings: Settings,
    *,
    unbegun_days: float,
    metrics: SessionMetrics,
    wall: Callable[[], datetime],
) -> Storage:
    """Open the database of records, or memory alone where the default database cannot be used.

    Args:
        settings: the operator's.
        unbegun_days: days for which a consent is kept whose session never begins.
        metrics: counts what is lost.
        wall: the time of day, with its zone.

    Raises:
        SettingsError: a database that the operator named, or the evidence store, cannot be used.
    """
    keys = read_keys(settings.evidence_key.get_secret_value(), settings.evidence_key_file)
    vault = _open_vault(settings, keys)
    try:
        archive = _open_archive(settings, wall(), keys)
    except SettingsError as error:
        if settings.database is not None:
            raise
        reason = f"nothing is recorded: {error.detail}"
        _log.error("%s", reason)
        outbox = _outbox(settings, MemoryJournal(settings.events_per_session))
        return MemoryStorage(outbox, reason, webhooks=bool(settings.webhooks))
    endpoints = _endpoints(settings)
    journal = RecordedJournal(
        archive.writer(tuple(endpoint.name for endpoint in endpoints)),
        archive.reader,
        settings.events_per_session,
    )
    ledger = EvidenceLedger(archive.engine, vault, wall=wall)
    return RecordedStorage(
        archive,
        journal=journal,
        outbox=_outbox(settings, journal),
        signals=SignalRecorder(archive.engine, archive.server_id),
        ledger=ledger,
        evidence_writer=EvidenceWriter(
            ledger,
            on_lost=lambda _: metrics.evidence_lost.inc(),
            max_pixels=settings.max_frame_pixels,
        ),
        webhooks=Webhooks(
            WebhookQueue(archive.engine, wall=wall),
            endpoints,
            wall=wall,
            discarded=metrics.webhooks_given_up.inc,
        ),
        wall=wall,
        unbegun_days=unbegun_days,
        evidence_bytes=settings.evidence_ring_bytes,
        data_folder=settings.data_folder,
    )


def _open_archive(settings: Settings, now: datetime, keys: Keys) -> Archive:
    database = settings.database
    chosen = None if database is None else database.get_secret_value()
    clustered = settings.cluster_address is not None
    return open_archive(chosen, settings.data_folder, now, keys=keys, clustered=clustered)


def _open_vault(settings: Settings, keys: Keys) -> EvidenceVault:
    store = open_store(
        settings.evidence_store,
        settings.evidence_folder or settings.data_folder / "evidence",
        endpoint=settings.evidence_s3_endpoint,
        region=settings.evidence_s3_region,
    )
    return EvidenceVault(store, keys)


def _endpoints(settings: Settings) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(target.url, Style(target.style), target.secret.get_secret_value(), target.key)
        for target in settings.webhooks
    )


def _outbox(settings: Settings, journal: Journal) -> Outbox:
    return Outbox(
        journal,
        listeners_per_session=settings.listeners_per_session,
        queue=settings.listener_queue,
    )
