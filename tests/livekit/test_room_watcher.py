"""Rooms that LiveKit alone would leave unproctored, by a real livekit-server, a real agent and a real server of ours."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from livekit import api
from tests.livekit.contract_server import until
from tests.livekit.exam import Person
from tests.livekit.media import portrait
from tests.livekit.processes import LiveKit, Proctoring
from tests.livekit.test_agent_process import agent

from proctoring.livekit.room_watcher import is_agent

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

LATE = 180.0
"""Seconds within which a room is proctored again, also on a busy machine."""


@pytest.fixture
def room() -> str:
    return f"exam-{uuid4().hex[:8]}"


def fed(server: Proctoring, session_id: str) -> Callable[[], bool]:
    """Whether the session receives pictures."""

    def is_fed() -> bool:
        answer = httpx.get(f"{server.http}/api/sessions/{session_id}", timeout=60)
        return answer.status_code == 200 and bool(answer.json()["video"])

    return is_fed


def report(figure: str) -> None:
    """Shown with ``pytest -s``."""
    sys.stderr.write(f"{figure}\n")


def sitting(server: Proctoring, session_id: str) -> str:
    return str(
        httpx.get(f"{server.http}/api/sessions/{session_id}", timeout=60).json()["sitting_id"]
    )


def kinds(server: Proctoring, session_id: str) -> set[str]:
    """Of the incidents of the session's sitting."""
    path = f"/api/records/sittings/{sitting(server, session_id)}"
    incidents = httpx.get(f"{server.http}{path}", timeout=60).json()["incidents"]
    return {incident["kind"] for incident in incidents}


def test_a_room_made_before_the_agent_registers_is_proctored(
    livekit: LiveKit, proctoring: Proctoring, tmp_path: Path, room: str
) -> None:
    async def scenario() -> None:
        async with Person(livekit, room, "candidate-1") as candidate:
            await candidate.show(portrait())
            with agent(livekit, proctoring, tmp_path):
                began = time.monotonic()
                await until(fed(proctoring, f"{room}:candidate-1"), LATE)
                report(
                    f"before the agent: proctored {time.monotonic() - began:.1f} s after its start"
                )

    asyncio.run(scenario())


def test_a_room_whose_agent_is_killed_is_proctored_again_in_the_same_sitting(
    livekit: LiveKit, proctoring: Proctoring, tmp_path: Path, room: str
) -> None:
    session_id = f"{room}:candidate-1"
    (tmp_path / "other").mkdir()

    async def scenario() -> None:
        is_fed = fed(proctoring, session_id)
        with agent(livekit, proctoring, tmp_path) as first:
            async with Person(livekit, room, "candidate-1") as candidate:
                await candidate.show(portrait())
                await until(is_fed, LATE)
                before = sitting(proctoring, session_id)
                with agent(livekit, proctoring, tmp_path / "other") as other:
                    await until(lambda: b"registered worker" in other.log.read_bytes(), LATE)
                    await asyncio.to_thread(first.kill)
                    began = time.monotonic()
                    await until(lambda: not is_fed(), LATE)
                    report(f"killed: lost after {time.monotonic() - began:.1f} s")
                    await until(is_fed, LATE)
                    report(f"killed: proctored again after {time.monotonic() - began:.1f} s")
                    assert sitting(proctoring, session_id) == before

    asyncio.run(scenario())


def test_two_agents_for_one_room_end_as_one(
    livekit: LiveKit, proctoring: Proctoring, tmp_path: Path, room: str
) -> None:
    session_id = f"{room}:candidate-1"

    async def scenario() -> None:
        async with (
            api.LiveKitAPI(livekit.url, livekit.key, livekit.secret) as administration,
            Person(livekit, room, "candidate-1") as candidate,
        ):
            await candidate.show(portrait())
            await until(fed(proctoring, session_id), LATE)

            async def agents() -> int:
                found = await administration.room.list_participants(
                    api.ListParticipantsRequest(room=room)
                )
                return sum(is_agent(one, "") for one in found.participants)

            await administration.agent_dispatch.create_dispatch(
                api.CreateAgentDispatchRequest(agent_name="", room=room)
            )
            await until(lambda: b"leaving it" in log.read_bytes(), LATE)
            limit = time.monotonic() + LATE
            while await agents() != 1:
                assert time.monotonic() < limit
                await asyncio.sleep(0.2)
            assert fed(proctoring, session_id)()
            # The second one has not taken the session over in between.
            assert "session.taken_over" not in kinds(proctoring, session_id)

    log = tmp_path / "agent.log"
    with agent(livekit, proctoring, tmp_path):
        asyncio.run(scenario())
