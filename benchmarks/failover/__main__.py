"""``python -m benchmarks.failover [FAULT ...] [--kills N]``: faults of a cluster, and what they cost.

Three server processes without models, a real PostgreSQL, each server behind a TCP proxy to it. A
candidate pastes text twenty times a second, so that incidents begin and end; its sockets are opened at
random servers, 0.2 s after they were closed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.failover import faults
from benchmarks.failover.database import running
from benchmarks.failover.faults import Scene
from benchmarks.failover.servers import cluster

SERVERS = 3


def main() -> None:
    """Run the faults and print what was seen."""
    chosen = argparse.ArgumentParser(prog="python -m benchmarks.failover")
    chosen.add_argument("faults", nargs="*", help="names; all if there are none")
    chosen.add_argument("--kills", type=int, default=50)
    chosen.add_argument("--names", type=int, default=1000)
    options = chosen.parse_args()
    known: dict[str, Callable[[Scene], Awaitable[Any]]] = {
        "kill": partial(faults.killed, times=options.kills),
        "stop": faults.stopped,
        "stop-in-transaction": partial(faults.stopped, inside=True),
        "cut-silently": partial(faults.cut, how="silence"),
        "cut-by-reset": partial(faults.cut, how="reset"),
        "all-cut": partial(faults.all_cut, how="silence"),
        "all-reset": partial(faults.all_cut, how="reset"),
        "restart": partial(faults.all_cut, how="restart", seconds=3.0),
        "drain": faults.drained,
        "added": faults.added,
        "begun-twice": partial(faults.begun_twice, times=options.names),
        "routed-at-random": faults.routed_at_random,
    }
    wrong = False
    for name in options.faults or known:
        with (
            running() as database,
            tempfile.TemporaryDirectory() as folder,
            cluster(database, Path(folder), SERVERS) as servers,
        ):
            scene = Scene(database, Path(folder), servers)
            wrong |= asyncio.run(_run(name, known[name], scene))
    raise SystemExit(1 if wrong else 0)


async def _run(name: str, fault: Callable[[Scene], Awaitable[Any]], scene: Scene) -> bool:
    before = os.getloadavg()[0]
    failure = ""
    try:
        await fault(scene)
    except AssertionError as error:
        failure = f"FAILED: {error}"
    found = await scene.leave()
    print(f"{name} (load {before:.0f} to {os.getloadavg()[0]:.0f}, {os.cpu_count()} cores)")
    for line in [*scene.lines, *([failure] if failure else []), *found[:10]]:
        print(f"    {line}")
    print(f"    {'records and what was heard agree' if not found else 'WRONG'}", flush=True)
    return bool(found or failure)


if __name__ == "__main__":
    main()
