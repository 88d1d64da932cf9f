"""The ready agent: joins rooms unseen and proctors every candidate in them.

``proctoring livekit-agent start`` runs it. In a worker of one's own::

    from livekit.agents import AgentServer
    from proctoring.livekit.agent import PERMISSIONS, entrypoint

    server = AgentServer(permissions=PERMISSIONS)
    server.rtc_session(entrypoint, agent_name="proctor")
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from typing import Any

from livekit import rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, WorkerPermissions
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from proctoring.errors import SettingsError
from proctoring.livekit.channel import ProctorChannel
from proctoring.livekit.procturing import Procturing
from proctoring.livekit.roles import CANDIDATES, PROCTORS, Role, parse_role

logger = logging.getLogger("proctoring.livekit")

PERMISSIONS = WorkerPermissions(
    hidden=True, can_publish=False, can_publish_data=True, can_update_metadata=False
)
"""What the agent asks of LiveKit: to watch unseen and to send data, nothing more."""

_MEDIA = frozenset(
    {
        rtc.TrackSource.SOURCE_CAMERA,
        rtc.TrackSource.SOURCE_MICROPHONE,
        rtc.TrackSource.SOURCE_UNKNOWN,
    }
)
"""What is subscribed to; shared screens are not."""


NEVER_FULL = 1.0
"""Share of this machine's CPU that cannot be exceeded: a higher limit is none."""


class AgentSettings(BaseSettings):
    """What an operator may choose, from the environment (``PROCTORING_LIVEKIT_*``)."""

    model_config = SettingsConfigDict(env_prefix="PROCTORING_LIVEKIT_", extra="ignore")

    candidates: str = CANDIDATES
    """Who is proctored (``roles.parse_role``)."""
    proctors: str = PROCTORS
    """Who hears of it, and may ask. Whoever ever was a candidate in the room never does."""
    policy: str | None = None
    """By which the server judges; a dispatch may name another."""
    audio: bool = True
    """Forward sound too."""
    away: float = Field(default=60.0, ge=0)
    """Seconds that a candidate who left may take to come back to the same proctoring."""


class Dispatch(BaseModel):
    """What a dispatch's metadata may say, as JSON: set by whoever holds the API key."""

    model_config = ConfigDict(extra="forbid")

    policy: str | None = None
    sessions: dict[str, str] = {}
    """Identity -> name of the session at the server."""
    accommodations: dict[str, dict[str, Any]] = {}
    """Identity -> changes of the policy."""
    mirrored: bool = False


class RoomProctor:
    """One ``Procturing`` per candidate of one connected room, from their coming to their going."""

    def __init__(
        self, room: rtc.Room, settings: AgentSettings, dispatch: Dispatch | None = None
    ) -> None:
        self.watching: dict[str, Procturing] = {}
        """Identity -> its proctoring."""
        self._room = room
        self._settings = settings
        self._dispatch = dispatch or Dispatch()
        self._candidates: Role = parse_role(settings.candidates)
        self._channel = ProctorChannel(room, proctors=settings.proctors)
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Look at everybody who is there and at everybody who comes."""
        self._room.on("participant_connected", self._consider)
        self._room.on("participant_attributes_changed", self._attributes_changed)
        self._room.on("participant_metadata_changed", self._metadata_changed)
        self._room.on("participant_disconnected", self._left)
        self._room.on("track_published", self._published)
        self._room.on("track_subscribed", self._subscribed)
        for participant in self._room.remote_participants.values():
            self._consider(participant)

    async def aclose(self) -> None:
        """Stop proctoring everybody."""
        for task in [*self._tasks, *self._leaving.values()]:
            task.cancel()
        await asyncio.gather(*(each.aclose() for each in self.watching.values()))
        await self._channel.aclose()
        self.watching.clear()

    def _consider(self, participant: rtc.RemoteParticipant) -> None:
        identity = participant.identity
        if leaving := self._leaving.pop(identity, None):
            leaving.cancel()
        if identity not in self.watching:
            if not self._candidates.held_by(participant):
                return
            self.watching[identity] = Procturing(
                participant,
                self._room,
                session_id=self._dispatch.sessions.get(identity),
                policy=self._dispatch.policy or self._settings.policy,
                accommodations=self._dispatch.accommodations.get(identity),
                mirrored=self._dispatch.mirrored,
                channel=self._channel,
            )
            logger.info("a candidate came; %d in the room", len(self.watching))
        for publication in participant.track_publications.values():
            self._published(publication, participant)

    def _attributes_changed(self, _: dict[str, str], participant: rtc.Participant) -> None:
        if isinstance(participant, rtc.RemoteParticipant):
            self._consider(participant)

    def _metadata_changed(self, participant: rtc.Participant, _: str, __: str) -> None:
        if isinstance(participant, rtc.RemoteParticipant):
            self._consider(participant)

    def _published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if participant.identity not in self.watching or publication.source not in _MEDIA:
            return
        if publication.kind == rtc.TrackKind.KIND_AUDIO and not self._settings.audio:
            return
        if publication.track is not None:
            self._subscribed(publication.track, publication, participant)
        elif not publication.subscribed:
            publication.set_subscribed(True)

    def _subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        proctoring = self.watching.get(participant.identity)
        if proctoring is None or publication.source not in _MEDIA:
            return
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            proctoring.video_track = track
            self._do(proctoring.start_if_ready())
        elif self._settings.audio:
            self._do(proctoring.enable_audio(track))

    def _left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity in self.watching:
            self._leaving[participant.identity] = asyncio.create_task(
                self._forget_later(participant.identity)
            )

    async def _forget_later(self, identity: str) -> None:
        # The session stays open at the server, which says itself that nothing arrives; its last
        # events are still passed on meanwhile.
        await asyncio.sleep(self._settings.away)
        self._leaving.pop(identity, None)
        await self.watching.pop(identity).aclose()
        logger.info("a candidate left; %d in the room", len(self.watching))

    def _do(self, work: Any) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _logged(work: Any) -> None:
    try:
        await work
    except Exception:
        logger.exception("starting to proctor failed")


def parse_dispatch(metadata: str) -> Dispatch:
    """Read a dispatch's metadata. Raises ``SettingsError`` when it says something unknown."""
    if not metadata:
        return Dispatch()
    try:
        return Dispatch.model_validate(json.loads(metadata))
    except (ValueError, ValidationError) as error:
        raise SettingsError(f"cannot read the dispatch's metadata: {error}") from error


async def entrypoint(ctx: JobContext) -> None:
    """One job, one room. Settings come from the environment, so that they reach job processes."""
    proctor = RoomProctor(ctx.room, AgentSettings(), parse_dispatch(ctx.job.metadata))
    await ctx.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    proctor.start()

    async def stop(_: str) -> None:
        await proctor.aclose()

    ctx.add_shutdown_callback(stop)


def create_server(agent_name: str = "", **options: Any) -> AgentServer:
    """The worker. With a name it waits to be dispatched by it; without, it joins every room.

    ``options`` go to ``AgentServer``. A ``load_threshold`` above 1 means that no room is ever
    declined.
    """
    if options.get("load_threshold", 0.0) > NEVER_FULL:
        # LiveKit passes over whoever says to be busier than its own limit (target_load, 0.7), so
        # that not to decline is not enough.
        options.setdefault("load_fnc", _no_load)
    options.setdefault("permissions", PERMISSIONS)
    options.setdefault("preload_modules", [__name__])
    server = AgentServer(**options)
    server.rtc_session(entrypoint, agent_name=agent_name)
    return server


def _no_load(_: AgentServer) -> float:
    return 0.0


async def serve(server: AgentServer, *, development: bool) -> None:
    """Run the worker until SIGTERM or SIGINT; then let running jobs finish (not in development)."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    running = asyncio.create_task(server.run(devmode=development))
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if running.done():
        running.result()
        return
    # A second signal ends it at once, as usual.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    if not development:
        try:
            await server.drain()
        except TimeoutError:
            logger.warning("jobs still run after the drain's time; ending them")
    await server.aclose()
    await asyncio.wait({running}, timeout=10)


def check_settings() -> AgentSettings:
    """The settings, or ``SettingsError`` in one line: before any worker starts."""
    try:
        settings = AgentSettings()
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    parse_role(settings.candidates)
    parse_role(settings.proctors)
    return settings
