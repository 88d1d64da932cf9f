"""A room's line to its proctors, on a real livekit-server; events come from a server with the documented sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import pytest
from tests.livekit.contract_server import ContractServer, until
from tests.livekit.exam import SOON, Person
from tests.livekit.media import Camera, portrait
from tests.livekit.processes import LiveKit

from proctoring.livekit import ProctorChannel, Procturing
from proctoring.livekit.channel import ATTRIBUTE

pytestmark = pytest.mark.e2e


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def event(seq: int, state: str) -> dict[str, Any]:
    return {
        "alerts": ["Head Left"] if state == "started" else [],
        "session_id": "s", "seq": seq, "time": f"2026-01-02T10:00:{seq:02d}.000Z",
        "media_time": float(seq),
        "incidents": [
            {
                "id": "01J1", "kind": "head.left", "label": "Head Left", "state": state,
                "severity": "warning", "confidence": 0.9, "started_at": 1.0, "duration": 2.0,
                "reason": "head turned", "evidence": [],
            }
        ],
    }  # fmt: skip


def attribute(person: Person, identity: str) -> Any:
    """What everybody can read of how things stand."""
    participant = person.room.remote_participants.get(identity)
    return json.loads(participant.attributes.get(ATTRIBUTE, "{}")) if participant else {}


def test_the_attribute_follows_what_is_open_where_it_is_wanted_and_allowed(
    livekit: LiveKit,
) -> None:
    async def scenario() -> None:
        room = f"exam-{uuid4().hex[:8]}"
        async with (
            ContractServer() as server,
            Person(livekit, room, "candidate-1") as candidate,
            Person(livekit, room, "proctor-1") as invigilator,
            Person(livekit, room, "watcher", own_metadata=True) as watcher,
            Camera(portrait()) as camera,
        ):
            channel = ProctorChannel(watcher.room, attribute=True)
            participant = await watcher.meet("candidate-1")
            async with Procturing(
                participant, watcher.room, url=server.url, channel=channel
            ) as watched:
                watched.video_track = camera.track
                await watched.start_if_ready()
                await until(lambda: server.open("events"), SOON)
                await server.publish(event(1, "started"))
                await until(
                    lambda: attribute(invigilator, "watcher") == {"candidate-1": ["head.left"]},
                    SOON,
                )
                await server.publish(event(2, "ended"))
                await until(lambda: attribute(invigilator, "watcher") == {"candidate-1": []}, SOON)
            await channel.aclose()
            assert candidate.heard == []

    run(scenario())


def test_one_who_was_a_candidate_hears_nothing_even_as_a_proctor(livekit: LiveKit) -> None:
    async def scenario() -> None:
        room = f"exam-{uuid4().hex[:8]}"
        async with (
            ContractServer() as server,
            Person(livekit, room, "candidate-1", own_metadata=True) as candidate,
            Person(livekit, room, "watcher", hidden=True) as watcher,
            Camera(portrait()) as camera,
        ):
            channel = ProctorChannel(watcher.room)
            participant = await watcher.meet("candidate-1")
            async with Procturing(
                participant, watcher.room, url=server.url, channel=channel
            ) as watched:
                watched.video_track = camera.track
                await watched.start_if_ready()
                await until(lambda: server.open("events"), SOON)
                await candidate.room.local_participant.set_attributes(
                    {"proctoring.role": "proctor"}
                )
                await until(
                    lambda: participant.attributes.get("proctoring.role") == "proctor", SOON
                )
                await server.publish(event(1, "started"))
                async with Person(livekit, room, "proctor-1") as invigilator:
                    await until(lambda: invigilator.events, SOON)
                assert candidate.heard == []
            await channel.aclose()

    run(scenario())
