"""The LiveKit worker in a real room, with a real proctoring server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.livekit.contract_server import until
from tests.livekit.exam import SOON, Person
from tests.livekit.media import empty_room
from tests.livekit.processes import LiveKit, Proctoring

ROOT = Path(__file__).parents[2]


@contextmanager
def worker(livekit: LiveKit, server: Proctoring, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The example as a process; stopped as an operator stops it."""
    environment = {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.key,
        "LIVEKIT_API_SECRET": livekit.secret,
        "PROCTORING_URL": server.url,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "examples/livekit_worker.py"],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(SOON)


@pytest.mark.e2e
@pytest.mark.timeout(1200)
def test_candidates_are_proctored_and_nobody_else(
    livekit: LiveKit, proctoring: Proctoring, tmp_path: Path
) -> None:
    room, log = f"exam-{uuid4().hex[:8]}", tmp_path / "worker.log"

    async def scenario() -> None:
        await until(lambda: b"registered worker" in log.read_bytes(), SOON)
        async with (
            Person(livekit, room, "candidate-1") as candidate,
            Person(livekit, room, "guest") as guest,
        ):
            await candidate.show(empty_room())
            await candidate.speak()
            await guest.show(empty_room())
            session = f"{room}:candidate-1"
            await until(lambda: "No Face Detected (violation), incident " in log.read_text(), SOON)
            async with httpx.AsyncClient(base_url=proctoring.http, timeout=60) as client:
                assert (await client.get(f"/api/sessions/{session}")).is_success
                assert (await client.get(f"/api/sessions/{room}:guest")).status_code == 404
            assert list(candidate.room.remote_participants) == ["guest"]

    with worker(livekit, proctoring, log) as process:
        asyncio.run(scenario())
        assert process.poll() is None, log.read_text()
    assert "candidate-1" not in log.read_text()
