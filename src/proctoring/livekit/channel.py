"""Telling a room's proctors, and taking their questions; the candidate hears nothing of it."""

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
"""Messages kept for proctors who come late or are away."""
_ATTRIBUTE_EVERY = 3.0
"""Seconds between attribute updates: LiveKit spreads each to the whole room."""
_RETRY = 1.0
_SEND_TIMEOUT = 10.0


class Watched(Protocol):
    """One candidate's proctoring, as a channel sees it."""

    session_id: str
    identity: str

    def status(self) -> dict[str, Any]:
        """What ``proctoring.status`` answers about it."""

    def acknowledge(self, incident: str, by: str) -> bool:
        """Note that a proctor saw the incident. ``False`` when it is none of this session's."""


class ProctorChannel:
    """One room's line to its proctors: a text stream to them, and RPC from them.

    Every message goes to each proctor once, in order, also to one who comes late or was cut off (the
    last 1,000 are kept). It is sent again only if sending failed, so a receiver that must not see
    one twice compares ``seq``.

    Args:
        room: connected, and permitted to publish data.
        proctors: who they are (``roles.parse_role``).
        topic: of the text stream.
        attribute: also keep the attribute ``proctoring.state`` on the room's local participant up
            to date. Everybody in the room can read it, the candidate too.
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
        self._watched: dict[str, Watched] = {}
        self._never: set[str] = set()
        """Identities that ever were a candidate here: whatever they become, they hear nothing."""
        self._messages: deque[str] = deque(maxlen=_KEPT)
        self._count = 0
        self._cursors: dict[str, int] = {}
        """Identity -> how many messages it has been sent, or need not be."""
        self._greeted: set[str] = set()
        """SIDs of proctors that were greeted: once per visit."""
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, watched: Watched) -> None:
        """A candidate is proctored from now on."""
        self._watched[watched.session_id] = watched
        self._never.add(watched.identity)
        if not self._tasks:
            self._start()
        self._news.set()

    def remove(self, watched: Watched) -> None:
        """A candidate is no longer proctored; what was said stays to be told."""
        self._watched.pop(watched.session_id, None)

    def tell(self, watched: Watched, event: ProctoringEvent) -> None:
        """Pass an event on to every proctor."""
        self._post({"event": json.loads(event.json), "candidate": watched.identity})

    async def aclose(self) -> None:
        """Stop; what waits is not sent any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._tasks:
            self._tasks = []
            self._room.off("participant_active", self._participant_came)
            self._room.off("participant_connected", self._participant_came)
            self._room.off("reconnected", self._wake)
            self._room.off("participant_attributes_changed", self._attributes_changed)
            if self._room.isconnected():
                for method in (STATUS_METHOD, ACKNOWLEDGE_METHOD):
                    self._room.local_participant.unregister_rpc_method(method)

    def _start(self) -> None:
        self._room.on("participant_active", self._participant_came)
        self._room.on("participant_connected", self._participant_came)
        self._room.on("reconnected", self._wake)
        self._room.on("participant_attributes_changed", self._attributes_changed)
        local = self._room.local_participant
        local.register_rpc_method(STATUS_METHOD, self._answer_status)
        local.register_rpc_method(ACKNOWLEDGE_METHOD, self._answer_acknowledge)
        self._tasks = [asyncio.create_task(self._deliver())]
        if self._attribute:
            self._tasks.append(asyncio.create_task(self._keep_attribute()))

    def _post(self, message: Mapping[str, Any]) -> None:
        self._messages.append(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
        self._count += 1
        self._news.set()

    # The text stream

    def _wake(self) -> None:
        self._news.set()

    def _participant_came(self, _: rtc.RemoteParticipant) -> None:
        self._news.set()

    def _attributes_changed(self, _: dict[str, str], __: rtc.Participant) -> None:
        self._news.set()

    def _present(self) -> dict[str, str]:
        """Identity -> SID of the proctors that can be told now."""
        seen = {
            participant.identity: participant.sid
            for participant in self._room.remote_participants.values()
            if self._proctors.held_by(participant)
        }
        # A hidden proctor does not show among the participants; one named in full is told anyhow.
        hidden = {identity: "" for identity in self._proctors.named if identity not in seen}
        return {
            identity: sid
            for identity, sid in (hidden | seen).items()
            if identity not in self._never
        }

    async def _deliver(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while await self._deliver_some():
                pass

    async def _deliver_some(self) -> bool:
        """Send the next message to those who lack it. Whether there may be more."""
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
        except Exception as error:  # noqa: BLE001 - whatever LiveKit raises, the message must stay
            logger.warning("telling the room failed, trying again: %r", error)
            await asyncio.sleep(_RETRY)
            return True
        for identity in to:
            self._cursors[identity] = behind + 1
        return True

    def _greeting(self) -> str:
        statuses = [watched.status() for watched in self._watched.values()]
        agent = self._room.local_participant.identity
        return json.dumps({"hello": {"agent": agent, "sessions": statuses}}, ensure_ascii=False)

    async def _send(self, text: str, to: list[str]) -> None:
        if not to:
            # An empty list of destinations would mean everybody.
            return
        await asyncio.wait_for(
            self._room.local_participant.send_text(
                text,
                topic=self._topic,
                destination_identities=to,
                # From a hidden participant the sender's identity arrives empty; RPC needs it.
                attributes={"agent": self._room.local_participant.identity},
            ),
            _SEND_TIMEOUT,
        )
        self.sent += len(to)

    # RPC

    def _may_ask(self, caller: str) -> bool:
        return caller in self._present()

    async def _answer_status(self, call: rtc.RpcInvocationData) -> str:
        """``{}`` or ``{"session_id": ...}`` -> ``{"sessions": [...]}``."""
        request = self._request(call)
        wanted = request.get("session_id")
        return json.dumps(
            {
                "sessions": [
                    watched.status()
                    for watched in self._watched.values()
                    if wanted in (None, watched.session_id)
                ]
            },
            ensure_ascii=False,
        )

    async def _answer_acknowledge(self, call: rtc.RpcInvocationData) -> str:
        """``{"incident": ID}`` -> ``{"acknowledged": ID}``; every proctor is told who saw it."""
        incident = self._request(call).get("incident")
        if not isinstance(incident, str):
            raise rtc.RpcError(BAD_REQUEST, 'expected {"incident": ID}')
        for watched in self._watched.values():
            if watched.acknowledge(incident, call.caller_identity):
                self._post(
                    {
                        "acknowledged": {
                            "incident": incident,
                            "session_id": watched.session_id,
                            "by": call.caller_identity,
                        }
                    }
                )
                return json.dumps({"acknowledged": incident})
        raise rtc.RpcError(UNKNOWN_INCIDENT, "no such incident")

    def _request(self, call: rtc.RpcInvocationData) -> dict[str, Any]:
        if not self._may_ask(call.caller_identity):
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
        """Say compactly how things stand, at most every few seconds."""
        said = ""
        while True:
            state = json.dumps(
                {
                    watched.identity: [each["kind"] for each in watched.status()["open"]]
                    for watched in self._watched.values()
                },
                separators=(",", ":"),
            )
            local = self._room.local_participant
            if state != said and local.permissions.can_update_metadata:
                with suppress(Exception):
                    await asyncio.wait_for(local.set_attributes({ATTRIBUTE: state}), _SEND_TIMEOUT)
                    said = state
            await asyncio.sleep(_ATTRIBUTE_EVERY)
