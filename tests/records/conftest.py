"""Every test of records runs on both databases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from tests.records.postgresql import binaries, running

from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.judgement.policy import shipped_policy
from proctoring.records.archive import Archive, open_archive
from proctoring.records.entries import (
    PendingEvent,
    SittingEnded,
    SittingRef,
    SittingStarted,
    incident_id,
)

BEGAN = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
_NUMBERS = count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A PostgreSQL server; skips where none is installed."""
    with ExitStack() as stack:
        address = os.environ.get("PROCTORING_TEST_POSTGRESQL")
        if address is None:
            if binaries() is None:
                pytest.skip("PostgreSQL is not installed (/usr/lib/postgresql)")
            address = stack.enter_context(running())
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'records.sqlite3'}"
        return
    address: str = request.getfixturevalue("postgresql")
    name = f"test_{os.getpid()}_{next(_NUMBERS)}"
    engine = create_engine(f"{address}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}"))
        yield f"{address}/{name}"
        connection.execute(text(f"drop database {name} with (force)"))
    engine.dispose()


@pytest.fixture
def open_database(database: str, tmp_path: Path) -> Iterator[Callable[[], Archive]]:
    """Opens the same database again and again, as processes that follow each other do."""
    with ExitStack() as stack:

        def again() -> Archive:
            archive = open_archive(database, tmp_path, BEGAN)
            stack.callback(archive.engine.dispose)
            return archive

        yield again


@pytest.fixture
def archive(open_database: Callable[[], Archive]) -> Archive:
    """An empty archive."""
    return open_database()


def beginning(
    sitting_id: str = "S1", session_id: str = "exam-7", started_at: datetime = BEGAN
) -> SittingStarted:
    """A sitting begins under the exam policy."""
    policy = shipped_policy("exam")
    sitting = SittingRef(sitting_id, session_id, started_at)
    return SittingStarted(sitting, False, policy.name, policy.to_toml())


def incident_of(sitting_id: str = "S1", number: int = 1) -> str:
    """The id of an incident of a sitting that began at ``BEGAN``."""
    return incident_id(SittingRef(sitting_id, "", BEGAN), number)


def occurrence(
    number: int = 1,
    state: IncidentState = IncidentState.STARTED,
    *,
    sitting_id: str = "S1",
    session_id: str = "exam-7",
    kind: str = "gaze.left",
    alerts: bool = True,
    duration: float = 2.0,
) -> PendingEvent:
    """One change of one incident."""
    change = IncidentChange(
        number=number,
        kind=kind,
        label="Looking Left",
        state=state,
        severity=Severity.VIOLATION,
        confidence=0.91234,
        started_at=91.4,
        duration=duration,
        reason="gaze 31 degrees left for 2.0 s (limit 2.0 s)",
        alerts=alerts,
    )
    return PendingEvent(SittingRef(sitting_id, session_id, BEGAN), BEGAN, 93.4, (change,))


def ending(sitting_id: str = "S1", session_id: str = "exam-7") -> SittingEnded:
    """The sitting ends."""
    return SittingEnded(SittingRef(sitting_id, session_id, BEGAN), BEGAN, 120.5, "ended on request")


def tell(index: int, seq: int) -> str:
    """The text of an event."""
    return f'{{"seq": {seq}}}'
