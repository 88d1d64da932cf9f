"""Without a database events are delivered, and everything else says why it is off."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from tests.delivery.conftest import BEGAN, begun, ended, message

from proctoring.delivery.journal import MemoryJournal
from proctoring.delivery.outbox import Outbox
from proctoring.errors import RecordsOffError, SettingsError
from proctoring.judgement.policy import shipped_policy
from proctoring.observations import ConnectionObservation
from proctoring.records.entries import SittingRef
from proctoring.server.open_storage import open_storage
from proctoring.session.outcomes import Outcome
from proctoring.session.session_metrics import SessionMetrics
from proctoring.settings import Settings, WebhookTarget
from proctoring.storage.memory import MemoryStorage
from proctoring.storage.storage import Storage

REASON = "nothing is recorded: the disk is full"


@pytest.fixture
def storage() -> Storage:
    return MemoryStorage(Outbox(MemoryJournal()), REASON, webhooks=True)


def test_capabilities_are_off_for_the_same_reason(storage: Storage) -> None:
    assert [found.name for found in storage.capabilities] == ["records", "evidence", "webhooks"]
    assert not any(found.available for found in storage.capabilities)
    assert {found.reason for found in storage.capabilities} == {REASON}
    without = MemoryStorage(Outbox(MemoryJournal()), REASON)
    assert [found.name for found in without.capabilities] == ["records", "evidence"]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (lambda storage: storage.records, RecordsOffError),
        (lambda storage: storage.write_observations("S1"), RecordsOffError),
        (lambda storage: storage.erase("S1", "asked for", "admin"), RecordsOffError),
        (lambda storage: storage.evidence("S1", "0" * 64), RecordsOffError),
    ],
)
def test_what_needs_a_database_is_refused(
    storage: Storage, asked: Callable[[Storage], object], error: type[Exception]
) -> None:
    with pytest.raises(error, match="see /api/health"):
        asked(storage)


def test_events_are_delivered_until_it_stops(storage: Storage) -> None:
    storage.start()
    done: list[Future[None]] = [
        storage.outbox.begin(begun()),
        storage.outbox.publish(message()),
        storage.outbox.end(ended()),
    ]
    for each in done:
        each.result(10)
    assert [event.seq for event in storage.outbox.replay("exam-7", 0).events] == [1]
    storage.heartbeat()
    storage.sweep()
    storage.stop_evidence(10)
    storage.stop(10)
    assert storage.outbox.waiting == 0


class Unused:
    """A publisher that gets nothing."""

    def accept(self, outcome: Outcome) -> None:
        raise AssertionError(outcome)


SITTING = SittingRef("S1", "exam-7", datetime(2026, 1, 2, tzinfo=UTC))


def test_observations_and_evidence_are_discarded(storage: Storage) -> None:
    policy = shipped_policy("exam")
    assert policy.records.signals
    storage.observation_recorder(SITTING, policy.records)(
        ConnectionObservation(1.0, connected=True)
    )
    storage.end_observations(SITTING)
    wanted = policy.evidence.model_copy(update={"stills": ("*",)})
    assert storage.evidence_recorder(wanted, Unused()) is None


def _opened(folder: Path, **chosen: Any) -> Storage:
    target = WebhookTarget(url="https://exams.example.org", secret=SecretStr("c2VjcmV0" * 8))
    return open_storage(
        Settings(data_folder=folder, webhooks=(target,), **chosen),
        unbegun_days=1,
        metrics=SessionMetrics(CollectorRegistry()),
        wall=lambda: BEGAN,
    )


def test_it_stands_in_for_the_default_database_alone(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite3").mkdir()
    storage = _opened(tmp_path)
    assert isinstance(storage, MemoryStorage)
    assert [found.name for found in storage.capabilities] == ["records", "evidence", "webhooks"]
    assert all("nothing is recorded" in found.reason for found in storage.capabilities)
    with pytest.raises(SettingsError):
        _opened(tmp_path, database=SecretStr(f"sqlite:///{tmp_path / 'records.sqlite3'}"))
