"""A thousand sessions through one real server."""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import simplejpeg
from tests.server.live import receive_key, running, until

from proctoring.vision.networks import VisionModels

_BY_LOOP = min(32, (os.cpu_count() or 1) + 4)
POOLS = {"asyncio": _BY_LOOP, "uvloop": _BY_LOOP, "AnyIO worker thread": 40}
"""Threads that wait for the database beside the event loop. They are made when all that there are
are busy, so how many there are by now is chance; how many there can be is not."""
CONNECTIONS = 5
"""To the database that stay open: as many as were once needed at the same time, at most."""


def threads() -> Counter[str]:
    """How many there are of each name, but for pools, which are only looked at for their bounds."""
    found = Counter(re.sub(r"[-_ ]?\d+$", "", thread.name) for thread in threading.enumerate())
    for pool, most in POOLS.items():
        assert found.pop(pool, 0) <= most
    return found


def files() -> Counter[str]:
    """How many descriptors there are of each kind, but for those of the database."""
    found: Counter[str] = Counter()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of this very look
            found[re.sub(r"\[\d+\]", "", str(entry.readlink()))] += 1
    kept = [name for name in found if "records.sqlite3" in name]
    assert sum(found.pop(name) for name in kept) <= 3 * CONNECTIONS  # file, log, its index
    return found


@pytest.mark.e2e
@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are read from /proc")
@pytest.mark.timeout(600)
def test_a_thousand_sessions_with_sockets_leave_nothing_behind(
    vision_models: VisionModels,
) -> None:
    grey = bytes(simplejpeg.encode_jpeg(np.full((64, 64, 3), 90, np.uint8)))
    process = psutil.Process()
    faces_alone = replace(vision_models, objects=None)  # looks once a session, at 50 ms each
    with running(faces_alone, keep_events=0.0) as live, live.http as http:

        def sit(number: int) -> None:
            with (
                live.socket(f"s{number}/video?observe=1") as video,
                live.socket(f"s{number}/events"),
            ):
                video.send(grey)
                receive_key(video, "observation")
                if number % 2:  # every other one ends while its sockets are open
                    http.delete(f"/api/sessions/s{number}").raise_for_status()
            if not number % 2:
                http.delete(f"/api/sessions/s{number}").raise_for_status()

        def held() -> tuple[int, Counter[str], Counter[str]]:
            until(lambda: len(live.connections()) <= 1)  # the REST client's
            until(lambda: not any("keepalive" in name for name in threads()))  # of closed sockets
            gc.collect()
            return process.memory_info().rss, threads(), files()

        for number in range(50):  # what is set up on first use
            sit(number)
        memory, threads_before, files_before = held()
        for number in range(50, 1050):
            sit(number)
        memory_after, threads_after, files_after = held()
        assert threads_after == threads_before
        assert files_after == files_before
        assert memory_after - memory < 24 << 20
        assert live.service.open_sessions == 0
        assert live.service.outbox.listeners() == 0
