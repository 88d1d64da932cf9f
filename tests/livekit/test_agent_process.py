"""The agent as its users run it: a process, dispatched by a real livekit-server."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from livekit import api
from tests.livekit.contract_server import until
from tests.livekit.exam import SOON, Person
from tests.livekit.media import empty_room
from tests.livekit.processes import COMMAND, LiveKit, Process, Proctoring
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


@contextmanager
def agent(livekit: LiveKit, server: Proctoring, folder: Path, *options: str) -> Iterator[Process]:
    """``proctoring livekit-agent start``, registered and ready."""
    port = free_port()
    process = Process(
        # However busy the machine is that the tests run on.
        [COMMAND, "livekit-agent", "start", "--port", str(port), "--load-threshold", "2", *options],
        f"http://127.0.0.1:{port}/",
        folder / "agent.log",
        LIVEKIT_URL=livekit.url,
        LIVEKIT_API_KEY=livekit.key,
        LIVEKIT_API_SECRET=livekit.secret,
        PROCTORING_URL=server.url,
    )
    process.start()
    try:
        yield process
    finally:
        if process.running:
            process.kill()


async def forwarded(invigilator: Person) -> int:
    """Frames that the agent has sent to our server for the only candidate."""
    status = await invigilator.ask("proctoring.status")
    count: int = status["sessions"][0]["frames"]["forwarded"]
    return count


def test_dispatched_by_name_with_a_policy_and_drained_when_asked_to_stop(
    livekit: LiveKit, proctoring: Proctoring, tmp_path: Path
) -> None:
    room = f"exam-{uuid4().hex[:8]}"

    async def scenario(process: Process) -> None:
        async with (
            api.LiveKitAPI(livekit.url, livekit.key, livekit.secret) as administration,
            Person(livekit, room, "candidate-1") as candidate,
            Person(livekit, room, "proctor-1") as invigilator,
        ):
            await candidate.show(empty_room())
            await until(lambda: b"registered worker" in process.log.read_bytes(), SOON)
            await asyncio.sleep(1)
            assert invigilator.heard == []
            await administration.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(
                    agent_name="proctor",
                    room=room,
                    metadata=json.dumps(
                        {"policy": "interview", "sessions": {"candidate-1": f"{room}-1"}}
                    ),
                )
            )
            await until(invigilator.alerts, SOON)
            assert {event["session_id"] for event in invigilator.events} == {f"{room}-1"}
            async with httpx.AsyncClient(base_url=proctoring.http, timeout=60) as client:
                session = (await client.get(f"/api/sessions/{room}-1")).json()
            assert session["policy"] == "interview"
            assert candidate.heard == []
            assert list(candidate.room.remote_participants) == ["proctor-1"]

            # SIGTERM: the room is proctored to its end, and then the process ends by itself.
            process.ask_to_stop()
            await asyncio.sleep(2)
            assert process.running
            before = now = await forwarded(invigilator)
            async with asyncio.timeout(SOON):
                while now == before:
                    await asyncio.sleep(0.2)
                    now = await forwarded(invigilator)
            await administration.room.delete_room(api.DeleteRoomRequest(room=room))
        assert await asyncio.to_thread(process.wait) == 0

    with agent(
        livekit, proctoring, tmp_path, "--agent-name", "proctor", "--drain-timeout", "60"
    ) as process:
        asyncio.run(scenario(process))
    log = process.log.read_text()
    assert "candidate-1" not in log
    assert re.search(
        r"started at \d+\.\d s: No Face Detected \(violation\); "
        rf"review: {proctoring.http}/sitting\?id=[0-9A-Z]{{26}}",
        log,
    )
    assert "HTTP server listening on 127.0.0.1:" in log


def test_without_a_name_it_joins_every_room_and_watches_whom_the_setting_says(
    livekit: LiveKit, proctoring: Proctoring, tmp_path: Path
) -> None:
    room = f"exam-{uuid4().hex[:8]}"

    async def scenario(process: Process) -> None:
        await until(lambda: b"registered worker" in process.log.read_bytes(), SOON)
        async with (
            Person(livekit, room, "proctor-1") as invigilator,
            Person(livekit, room, "maria", attributes={"role": "student"}) as maria,
            Person(livekit, room, "candidate-by-name") as other,
        ):
            await other.show(empty_room())
            await maria.show(empty_room())
            await until(invigilator.alerts, SOON)
            status = await invigilator.ask("proctoring.status")
            assert [each["candidate"] for each in status["sessions"]] == ["maria"]

    with agent(livekit, proctoring, tmp_path, "--candidates", "attribute:role=student") as process:
        asyncio.run(scenario(process))


def test_in_development_the_known_key_is_no_reason_to_warn(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    with log.open("wb") as output:
        # No LiveKit server: the agent signs its token, and tries again and again.
        process = subprocess.Popen(
            [COMMAND, "livekit-agent", "dev", "--livekit-url", f"ws://127.0.0.1:{free_port()}"],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        limit = time.monotonic() + 200
        while b"failed to connect" not in log.read_bytes():
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.2)
    finally:
        process.kill()
        process.wait()
    assert "Insecure" not in log.read_text()
    assert "127.0.0.1" in log.read_text()
