"""What a server of a cluster gives up, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from proctoring.cluster.servers import View
from proctoring.judgement.policy import shipped_policy
from proctoring.records.archive import Archive, open_archive
from proctoring.records.database import reading
from proctoring.records.entries import SittingRef, SittingStarted
from proctoring.records.tables import SittingRow
from proctoring.server.clustering import STRAY_AFTER, Clustering
from proctoring.session.media_source import SessionState

BEGAN = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
MOVES, ENDS = "S1", "S2"


class Sessions:
    """Two sessions: the state of one is kept, so that it moves; the other ends."""

    def __init__(self) -> None:
        self.sittings = {(MOVES, 1), (ENDS, 1)}
        self.let_go: list[str] = []

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def leave(self, session: Any, *_: Any) -> Future[None] | None:
        done: Future[None] = Future()
        done.set_result(None)
        moves = session.sitting_id == MOVES
        session.state = SessionState.MOVED if moves else SessionState.ENDED
        session.done.set_result(None)
        return done if moves else None

    def finish_leaving(self, session: Any, *_: Any) -> None:
        self.let_go.append(session.sitting_id)


class Server:
    """One whose two sittings are open in the records."""

    def __init__(self, archive: Archive) -> None:
        policy = shipped_policy("exam")
        for sitting_id in (MOVES, ENDS):
            sitting = SittingRef(sitting_id, f"exam of {sitting_id}", BEGAN)
            begins = SittingStarted(sitting, False, policy.name, policy.to_toml())
            archive.writer().write([begins], lambda *_: "")
        self.archive = archive
        self.sessions = Sessions()
        self.time = 100.0
        settings: Any = SimpleNamespace(
            cluster_address="http://10.0.0.1:8000",
            cluster_secret=SecretStr("s" * 32),
            max_connections=100,
        )
        outbox = SimpleNamespace(write_saved=lambda: None, waiting=0)
        storage: Any = SimpleNamespace(
            records=archive, outbox=outbox, write_observations=lambda _: None
        )
        sessions: Any = self.sessions

        async def continue_(_: str) -> None:
            raise AssertionError

        self.cluster = Clustering(
            settings,
            storage,
            sessions=lambda: sessions,
            continue_=continue_,
            now=lambda: self.time,
        )

    @property
    def owned(self) -> set[str]:
        with reading(self.archive.engine) as connection:
            rows = connection.execute(select(SittingRow.id, SittingRow.server_id)).all()
        return {row.id for row in rows if row.server_id == self.archive.server_id}

    def see(self) -> None:
        """A renewal was answered."""

        async def run() -> None:
            self.cluster._on_view(View((), dict.fromkeys(self.owned, 1), ()))
            await asyncio.gather(*self.cluster._tasks)

        asyncio.run(run())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    archive = open_archive(None, tmp_path, BEGAN)
    yield Server(archive)
    archive.engine.dispose()


def test_a_session_that_ends_in_a_drain_stays_this_servers_until_that_is_written(
    server: Server,
) -> None:
    leaving: list[Any] = [
        SimpleNamespace(sitting_id=sitting_id, state=SessionState.OPEN, done=Future())
        for sitting_id in (MOVES, ENDS)
    ]
    asyncio.run(server.cluster.hand_over(leaving))
    assert server.owned == {ENDS}
    assert server.sessions.let_go == [MOVES]


def test_a_sitting_that_nothing_here_runs_is_given_up(server: Server) -> None:
    server.sessions.sittings.discard((MOVES, 1))
    server.see()
    server.time += STRAY_AFTER - 1
    server.see()
    assert server.owned == {MOVES, ENDS}, "it may be about to go on here"
    server.time += 1
    server.see()
    assert server.owned == {ENDS}


def test_a_sitting_that_goes_on_here_in_time_is_kept(server: Server) -> None:
    server.sessions.sittings.discard((MOVES, 1))
    server.see()
    server.sessions.sittings.add((MOVES, 1))
    server.time += STRAY_AFTER / 2
    server.see()
    server.sessions.sittings.discard((MOVES, 1))
    server.time += STRAY_AFTER / 2
    server.see()
    assert server.owned == {MOVES, ENDS}


def test_an_answer_of_another_version_hides_no_other_servers_sessions(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(*_: Any) -> list[Any]:
        return [[], [{"session_id": "exam-7", "new": 1}], None]

    monkeypatch.setattr(server.cluster.peers, "ask", ask)
    assert asyncio.run(server.cluster.sessions_elsewhere()) == ([], 2)
