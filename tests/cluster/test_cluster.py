"""Real servers over a real PostgreSQL: a session survives its server, and its record stays one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from benchmarks.failover import faults
from benchmarks.failover.database import Database, programs, running
from benchmarks.failover.faults import Scene
from benchmarks.failover.servers import cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    if programs() is None:
        pytest.skip("PostgreSQL is not installed (/usr/lib/postgresql)")
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The servers' data folder: all records are sealed with one key."""
    return tmp_path_factory.mktemp("servers")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(partial(faults.killed, times=2), id="killed"),
        pytest.param(partial(faults.stopped, seconds=8.0), id="stopped"),
        pytest.param(partial(faults.drained, times=2), id="drained"),
        pytest.param(partial(faults.cut, how="silence"), id="cut silently"),
        pytest.param(partial(faults.all_cut, how="reset", seconds=8.0), id="all cut"),
        pytest.param(partial(faults.begun_twice, times=20, at_once=4), id="begun twice"),
    ],
)
def test_no_event_is_lost_doubled_or_told_differently(
    fault: Callable[[Scene], Awaitable[Any]], database: Database, folder: Path
) -> None:
    with cluster(database, folder, 3) as servers:
        scene = Scene(database, folder, servers)

        async def run() -> list[str]:
            try:
                await fault(scene)
            finally:
                wrong = await scene.leave()
            return wrong

        assert asyncio.run(run()) == []
    print("\n".join(scene.lines))  # noqa: T201
