"""Events to a room's proctors and their RPC calls; invisible to the candidate."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from livekit import rtc

from proctoring.livekit.messages import ProctoringEvent
from proctoring.livekit.roles import PROCTORS, Role, parse_role

logger = logging.getLogger("proctoring.livekit")

TOPIC = "proctoring"
STATUS_METHOD = "proctoring.status"
ACKNOWLEDGE_METHOD = "proctoring.acknowledge"
ATTRIBUTE = "proctoring.state"

NOT_A_PROCTOR = 2403
BAD_REQUEST = 2400
UNKNOWN_INCIDENT = 2404
"""Codes of RPC errors; LiveKit keeps 1001 to 1999 for itself."""

_KEPT = 1000
"""Messages kept for proctors who join late or are away."""
_ATTRIBUTE_PERIOD = 3.0
"""Seconds between attribute updates, each of which LiveKit sends to the whole room."""
_RETRY = 1.0
_SEND_TIMEOUT = 10.0
"""Seconds."""


class ProctoredSession(Protocol):
    """What a channel needs of a ``Procturing``."""

    session_id: str
    identity: str

    def status(self) -> dict[str, Any]:
        """Its part of the answer to ``proctoring.status``."""

    def acknowledge(self, incident: str, by: str) -> bool:
        """Note that a proctor saw the incident. ``False``: it is none of this session's."""


class ProctorChannel:
    """A text stream to a room's proctors, and RPC from them.

    Every message goes to each proctor once, in order, also to one who joins late or was disconnected
    (the last 1,000 are kept). It is sent again only if sending failed; a receiver that must not see a
    message twice compares ``seq``.

    Args:
        room: connected, and permitted to publish data.
        proctors: which participants they are (``roles.parse_role``).
        topic: of the text stream.
        attribute: also update the attribute ``proctoring.state`` of the room's local participant.
            Everybody in the room can read it, including the candidate.
    """

    def __init__(
        self,
        room: rtc.Room,
        *,
        proctors: Role | str = PROCTORS,
        topic: str = TOPIC,
        attribute: bool = False,
    ) -> None:
        self.sent = 0
        """Messages handed to LiveKit, counted per proctor."""
        self._room = room
        self._proctors = parse_role(proctors) if isinstance(proctors, str) else proctors
        self._topic = topic
        self._attribute = attribute
        self._sessions: dict[str, ProctoredSession] = {}
        self._ever_candidates: set[str] = set()
        """Identities that ever were a candidate here: they never receive messages, whatever their role."""
        self._messages: deque[str] = deque(maxlen=_KEPT)
        self._count = 0
        self._cursors: dict[str, int] = {}
        """Identity to the number of messages that it was sent or missed for good."""
        self._greeted: set[str] = set()
        """SIDs of proctors that got the ``hello`` message: once per connection."""
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, session: ProctoredSession) -> None:
        """Add a candidate's session."""
        self._sessions[session.session_id] = session
        self._ever_candidates.add(session.identity)
        if not self._tasks:
            self._start()
        self._changed.set()

    def remove(self, session: ProctoredSession) -> None:
        """Remove a candidate's session; its messages are still delivered."""
        self._sessions.pop(session.session_id, None)

    def publish(self, session: ProctoredSession, event: ProctoringEvent) -> None:
        """Send an event to every proctor."""
        self._post({"event": json.loads(event.json), "candidate": session.identity})

    async def aclose(self) -> None:
        """Stop. Messages that still wait are not sent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tasks:
            self._tasks = []
            self._room.off("participant_active", self._on_participant)
            self._room.off("participant_connected", self._on_participant)
            self._room.off("reconnected", self._on_reconnected)
            self._room.off("participant_attributes_changed", self._on_attributes_changed)
            if self._room.isconnected():
                for method in (STATUS_METHOD, ACKNOWLEDGE_METHOD):
                    self._room.local_participant.unregister_rpc_method(method)

    def _start(self) -> None:
        self._room.on("participant_active", self._on_participant)
        self._room.on("participant_connected", self._on_participant)
        self._room.on("reconnected", self._on_reconnected)
        self._room.on("participant_attributes_changed", self._on_attributes_changed)
        local = self._room.local_participant
        local.register_rpc_method(STATUS_METHOD, self._answer_status)
        local.register_rpc_method(ACKNOWLEDGE_METHOD, self._answer_acknowledge)
        self._tasks = [asyncio.create_task(self._deliver())]
        if self._attribute:
            self._tasks.append(asyncio.create_task(self._keep_attribute()))

    def _post(self, message: Mapping[str, Any]) -> None:
        self._messages.append(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
        self._count += 1
        self._changed.set()

    # The text stream

    def _on_reconnected(self) -> None:
        self._changed.set()

    def _on_participant(self, _: rtc.RemoteParticipant) -> None:
        self._changed.set()

    def _on_attributes_changed(self, _: dict[str, str], __: rtc.Participant) -> None:
        self._changed.set()

    def _present(self) -> dict[str, str]:
        """Identity to SID of the proctors that can be reached now."""
        seen = {
            participant.identity: participant.sid
            for participant in self._room.remote_participants.values()
            if self._proctors.held_by(participant)
        }
        # Hidden participants are not listed; a proctor whose identity is configured in full is reached
        # all the same.
        hidden = {identity: "" for identity in self._proctors.named if identity not in seen}
        return {
            identity: sid
            for identity, sid in (hidden | seen).items()
            if identity not in self._ever_candidates
        }

    async def _deliver(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            while await self._deliver_next():
                pass

    async def _deliver_next(self) -> bool:
        """Send the next message to the proctors that lack it. Returns whether there may be more."""
        present = self._present()
        if not present or self._room.connection_state != rtc.ConnectionState.CONN_CONNECTED:
            return False
        try:
            for identity, sid in present.items():
                if sid and sid not in self._greeted:
                    await self._send(self._greeting(), [identity])
                    self._greeted.add(sid)
            oldest_kept = self._count - len(self._messages)
            cursors = {
                identity: max(self._cursors.get(identity, 0), oldest_kept) for identity in present
            }
            behind = min(cursors.values())
            if behind >= self._count:
                return False
            to = [identity for identity, cursor in cursors.items() if cursor == behind]
            await self._send(self._messages[behind - oldest_kept], to)
        except Exception as error:  # noqa: BLE001 - LiveKit raises many kinds; the message must be kept
            logger.warning("sending to the room failed, trying again: %r", error)
            await asyncio.sleep(_RETRY)
            return True
        for identity in to:
            self._cursors[identity] = behind + 1
        return True

    def _greeting(self) -> str:
        statuses = [session.status() for session in self._sessions.values()]
        agent = self._room.local_participant.identity
        return json.dumps({"hello": {"agent": agent, "sessions": statuses}}, ensure_ascii=False)

    async def _send(self, text: str, to: list[str]) -> None:
        if not to:
            # LiveKit takes an empty list of destinations for everybody.
            return
        async with asyncio.timeout(_SEND_TIMEOUT):
            await self._room.local_participant.send_text(
                text,
                topic=self._topic,
                destination_identities=to,
                # A hidden sender's identity arrives empty, but receivers need it for RPC.
                attributes={"agent": self._room.local_participant.identity},
            )
        self.sent += len(to)

    # RPC

    def _may_call(self, caller: str) -> bool:
        return caller in self._present()

    async def _answer_status(self, call: rtc.RpcInvocationData) -> str:
        """``{}`` or ``{"session_id": ...}`` -> ``{"sessions": [...]}``."""
        request = self._request(call)
        wanted = request.get("session_id")
        return json.dumps(
            {
                "sessions": [
                    session.status()
                    for session in self._sessions.values()
                    if wanted in (None, session.session_id)
                ]
            },
            ensure_ascii=False,
        )

    async def _answer_acknowledge(self, call: rtc.RpcInvocationData) -> str:
        """``{"incident": ID}`` -> ``{"acknowledged": ID}``; every proctor is informed."""
        incident = self._request(call).get("incident")
        if not isinstance(incident, str):
            raise rtc.RpcError(BAD_REQUEST, 'expected {"incident": ID}')
        for session in self._sessions.values():
            if session.acknowledge(incident, call.caller_identity):
                self._post(
                    {
                        "acknowledged": {
                            "incident": incident,
                            "session_id": session.session_id,
                            "by": call.caller_identity,
                        }
                    }
                )
                return json.dumps({"acknowledged": incident})
        raise rtc.RpcError(UNKNOWN_INCIDENT, "no such incident")

    def _request(self, call: rtc.RpcInvocationData) -> dict[str, Any]:
        if not self._may_call(call.caller_identity):
            raise rtc.RpcError(NOT_A_PROCTOR, "only proctors may ask")
        try:
            request = json.loads(call.payload or "{}")
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise rtc.RpcError(BAD_REQUEST, "expected a JSON object")
        return request

    # The attribute

    async def _keep_attribute(self) -> None:
        """Set the attribute to the kinds of open incidents by candidate, at most every few seconds."""
        published = ""
        while True:
            state = json.dumps(
                {
                    session.identity: [each["kind"] for each in session.status()["open"]]
                    for session in self._sessions.values()
                },
                separators=(",", ":"),
            )
            local = self._room.local_participant
            if state != published and local.permissions.can_update_metadata:
                with suppress(Exception):
                    async with asyncio.timeout(_SEND_TIMEOUT):
                        await local.set_attributes({ATTRIBUTE: state})
                    published = state
            await asyncio.sleep(_ATTRIBUTE_PERIOD)
