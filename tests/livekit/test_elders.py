"""Two agents in one room: who stays, and who is answered. With real rooms in ``test_room_watcher``."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from livekit import api, rtc

from proctoring.livekit.elders import TOPIC, ElderAnswers, elders_of


def joined(identity: str, at: int) -> api.ParticipantInfo:
    return api.ParticipantInfo(identity=identity, joined_at_ms=at)


def test_the_first_that_joined_has_no_elder_and_the_others_have_it() -> None:
    agents = [joined("c", 30), joined("a", 10), joined("b", 20)]
    assert elders_of("a", agents) == []
    assert elders_of("b", agents) == ["a"]
    assert sorted(elders_of("c", agents)) == ["a", "b"]


def test_of_two_that_joined_at_once_one_is_the_elder() -> None:
    agents = [joined("b", 10), joined("a", 10)]
    assert (elders_of("a", agents), elders_of("b", agents)) == ([], ["a"])


def test_who_is_not_listed_has_none() -> None:
    assert elders_of("d", [joined("a", 10)]) == []


class Sender:
    def __init__(self, kind: int) -> None:
        self.kind = kind


def answers(content: bytes, *, topic: str = TOPIC, sender: Any = None) -> list[tuple[str, str]]:
    """What an agent that proctors answers to a packet, and to whom."""
    told: list[tuple[str, str]] = []

    async def publish(text: str, identity: str) -> None:
        told.append((text, identity))

    async def scenario() -> None:
        packet = rtc.DataPacket(content, rtc.DataPacketKind.KIND_RELIABLE, sender, topic)
        ElderAnswers(lambda: True, publish).receive(packet)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    return told


QUESTION = json.dumps({"ask": "0f", "from": "agent-2"}).encode()


def test_an_agent_is_answered() -> None:
    expected = [(json.dumps({"answer": "0f", "proctors": True}), "agent-2")]
    assert answers(QUESTION) == expected
    assert answers(QUESTION, sender=Sender(rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)) == expected


def test_a_candidate_is_not_answered() -> None:
    sender = Sender(rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD)
    assert answers(QUESTION, sender=sender) == []


@pytest.mark.parametrize(
    "content", [b"", b"7", b"\xff", b"{}", b'{"ask": 1, "from": "x"}', b'{"ask": "x"}']
)
def test_nonsense_is_not_answered(content: bytes) -> None:
    assert answers(content) == []


def test_other_topics_are_not_ours() -> None:
    assert answers(QUESTION, topic="chat") == []
