"""Two agents in one room: the one that came first stays, as long as it answers."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from livekit import api, rtc

from proctoring.livekit.room_watcher import FAULTS, is_agent

logger = logging.getLogger("proctoring.livekit")

TOPIC = "proctoring.agents"
"""Of the messages between agents. Not by RPC: LiveKit does not tell who calls, where the caller is hidden."""
ANSWER_TIMEOUT = 4.0
"""Seconds that an elder has to answer."""
_AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT

Publish = Callable[[str, str], Coroutine[Any, Any, None]]
"""Sends a text to one participant, by identity."""


class ElderAnswers:
    """Answers later agents whether this one proctors.

    Args:
        proctors: whether it does.
        publish: sends the answer.
    """

    def __init__(self, proctors: Callable[[], bool], publish: Publish) -> None:
        self._proctors = proctors
        self._publish = publish
        self._answering: set[asyncio.Task[None]] = set()

    def receive(self, packet: rtc.DataPacket) -> None:
        """Take any packet of the room. Only agents are answered: a candidate learns of none."""
        sender = packet.participant  # none, where it is hidden
        question = _read(packet)
        if question is None or (sender is not None and sender.kind != _AGENT):
            return
        asked, identity = question.get("ask"), question.get("from")
        if not isinstance(asked, str) or not isinstance(identity, str):
            return
        answer = json.dumps({"answer": asked, "proctors": self._proctors()})
        task = asyncio.create_task(self._publish(answer, identity))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)


async def has_living_elder(room: rtc.Room, livekit: api.LiveKitAPI, agent_name: str) -> bool:
    """Whether an agent of the same name that joined this room earlier proctors it.

    LiveKit lists a dead agent as present for some seconds; therefore it is asked. Where participants cannot
    be listed, nobody is asked: two agents then take the session from each other once, and the later one keeps it.
    """
    try:
        found = await livekit.room.list_participants(api.ListParticipantsRequest(room=room.name))
    except FAULTS as error:
        logger.warning("other agents in the room cannot be listed: %r", error)
        return False
    own = room.local_participant.identity
    elders = elders_of(own, [one for one in found.participants if is_agent(one, agent_name)])
    return bool(elders) and await _ask(room, own, elders)


def elders_of(own: str, agents: list[api.ParticipantInfo]) -> list[str]:
    """Identities of the agents that joined before this one; by identity, where at the same moment."""
    joined = {one.identity: (one.joined_at_ms, one.identity) for one in agents}
    if own not in joined:
        return []
    return [identity for identity, when in joined.items() if when < joined[own]]


async def _ask(room: rtc.Room, own: str, elders: list[str]) -> bool:
    # Nobody else reads the question, so nobody else can answer it: a candidate cannot send an agent away.
    question = secrets.token_hex(16)
    answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def receive(packet: rtc.DataPacket) -> None:
        answer = _read(packet)
        if answer is not None and answer.get("answer") == question and not answered.done():
            answered.set_result(answer.get("proctors") is True)

    room.on("data_received", receive)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            await room.local_participant.publish_data(
                json.dumps({"ask": question, "from": own}),
                destination_identities=elders,
                topic=TOPIC,
            )
            return await answered
    except (TimeoutError, rtc.participant.PublishDataError):
        return False
    finally:
        room.off("data_received", receive)


def _read(packet: rtc.DataPacket) -> dict[str, Any] | None:
    if packet.topic != TOPIC:
        return None
    try:
        found = json.loads(packet.data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
