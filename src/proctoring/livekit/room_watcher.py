"""Dispatches the agent again to rooms whose candidates nobody proctors.

LiveKit dispatches an agent when a room is made, and to the workers that are registered then. A room that was
made before the agent registered, or whose agent died, is not dispatched again by a LiveKit server of one's own.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence

import aiohttp
from livekit import api

from proctoring.errors import SettingsError
from proctoring.livekit.address import ServerAddress, is_fed
from proctoring.livekit.dispatch import parse_dispatch
from proctoring.livekit.names import session_id
from proctoring.livekit.roles import Role
from proctoring.livekit.watch import CandidateView, RoomView, Watch

logger = logging.getLogger("proctoring.livekit")

PERIOD = 3.0
"""Seconds between two looks, give or take a quarter, so that several watchers do not act at once."""
_ASKED_AT_ONCE = 8
"""Rooms that are looked at concurrently."""
AGENT_NAME = "lk.agent.name"
"""Attribute of a participant that LiveKit's framework sets for its agents."""
_CAMERAS = frozenset({api.TrackSource.CAMERA, api.TrackSource.UNKNOWN})
_WITH_AUDIO = _CAMERAS | {api.TrackSource.MICROPHONE}
FAULTS = (OSError, TimeoutError, aiohttp.ClientError, api.TwirpError)


class RoomWatcher:
    """Looks at all rooms of a LiveKit server every few seconds.

    Args:
        livekit: LiveKit's API, with a key that may list rooms and administer them.
        server: the proctoring server.
        agent_name: the agent's; empty: of the one that joins every room.
        candidates: who is proctored.
        audio: whether a microphone alone is proctored.
    """

    def __init__(
        self,
        livekit: api.LiveKitAPI,
        server: ServerAddress,
        *,
        agent_name: str,
        candidates: Role,
        audio: bool,
    ) -> None:
        self._livekit = livekit
        self._server = server
        self._agent_name = agent_name
        self._candidates = candidates
        self._sources = _WITH_AUDIO if audio else _CAMERAS
        self._watch = Watch()
        self._limit = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._trouble = ""

    async def run(self) -> None:
        """Look and dispatch until cancelled."""
        while True:
            await asyncio.sleep(PERIOD * random.uniform(0.75, 1.25))  # noqa: S311 - no secret
            try:
                await self.look()
            except FAULTS as error:
                self._say(f"rooms cannot be watched: {error!r}")
            else:
                self._say("")

    async def look(self) -> list[str]:
        """Look at every room once. Returns those to which the agent was dispatched.

        Raises:
            OSError, TimeoutError, aiohttp.ClientError, api.TwirpError: LiveKit or the proctoring server
                cannot be asked.
        """
        answer = await self._livekit.room.list_rooms(api.ListRoomsRequest())
        names = [room.name for room in answer.rooms if room.num_participants]
        found = await asyncio.gather(*map(self._view, names))
        views = {view.name: (view, metadata) for view, metadata in filter(None, found)}
        wanted = self._watch.look((view for view, _ in views.values()), time.monotonic())
        for name in wanted:
            await self._dispatch(name, views[name][1])
        return wanted

    async def _view(self, room: str) -> tuple[RoomView, str] | None:
        """The room and the metadata of its newest dispatch; ``None`` if it is none of ours, or gone."""
        async with self._limit:
            try:
                people = await self._livekit.room.list_participants(
                    api.ListParticipantsRequest(room=room)
                )
                candidates = [one for one in people.participants if self._is_proctored(one)]
                if not candidates:
                    return None
                newest = self._newest(await self._livekit.agent_dispatch.list_dispatch(room))
            except api.TwirpError as error:
                if error.code == api.TwirpErrorCode.NOT_FOUND:
                    return None
                raise
            if newest is None:
                return None
            sessions = _sessions(newest.metadata)
            fed = [
                await is_fed(
                    self._server, sessions.get(one.identity) or session_id(room, one.identity)
                )
                for one in candidates
            ]
        agents = sum(is_agent(one, self._agent_name) for one in people.participants)
        view = RoomView(room, newest.id, agents, tuple(map(CandidateView, fed)))
        return view, newest.metadata

    def _is_proctored(self, participant: api.ParticipantInfo) -> bool:
        return self._candidates.held_by(participant) and any(
            track.source in self._sources and not track.muted for track in participant.tracks
        )

    def _newest(self, dispatches: Sequence[api.AgentDispatch]) -> api.AgentDispatch | None:
        ours = [one for one in dispatches if one.agent_name == self._agent_name]
        return max(ours, key=lambda one: one.state.created_at, default=None)

    async def _dispatch(self, room: str, metadata: str) -> None:
        await self._livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(
                agent_name=self._agent_name, room=room, metadata=metadata
            )
        )
        logger.warning("a room with candidates was not proctored: the agent is dispatched again")

    def _say(self, trouble: str) -> None:
        """Log trouble once, not at every look."""
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                logger.warning("%s", trouble)
            else:
                logger.info("rooms are watched again")


def is_agent(participant: api.ParticipantInfo, name: str) -> bool:
    """Whether a participant is an agent that is dispatched by this name."""
    return (
        participant.kind == api.ParticipantInfo.Kind.AGENT
        and participant.attributes.get(AGENT_NAME, "") == name
    )


def _sessions(metadata: str) -> dict[str, str]:
    try:
        return parse_dispatch(metadata).sessions
    except SettingsError:  # the agent's job says so
        return {}
