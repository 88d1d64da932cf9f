"""The LiveKit agent: joins rooms as a hidden participant and proctors every candidate in them.

``proctoring livekit-agent start`` runs it. In your own worker::

    from livekit.agents import AgentServer
    from proctoring.livekit.agent import PERMISSIONS, entrypoint

    server = AgentServer(permissions=PERMISSIONS)
    server.rtc_session(entrypoint, agent_name="proctor")
"""

from __future__ import annotations

import asyncio
import logging
import signal
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

from livekit import api, rtc
from livekit.agents import AgentServer, AutoSubscribe, JobContext, JobRequest, WorkerPermissions
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from proctoring.errors import SettingsError
from proctoring.livekit.address import server_address
from proctoring.livekit.channel import ProctorChannel
from proctoring.livekit.dispatch import Dispatch, parse_dispatch
from proctoring.livekit.elders import TOPIC, ElderAnswers, has_living_elder
from proctoring.livekit.incident_lines import IncidentLines
from proctoring.livekit.job_requests import answer_job_request
from proctoring.livekit.procturing import Procturing
from proctoring.livekit.roles import CANDIDATES, PROCTORS, Role, parse_role
from proctoring.livekit.room_watcher import RoomWatcher

logger = logging.getLogger("proctoring.livekit")

PERMISSIONS = WorkerPermissions(
    hidden=True, can_publish=False, can_publish_data=True, can_update_metadata=False
)
"""Hidden, and permitted to send data only."""

_MEDIA = frozenset(
    {
        rtc.TrackSource.SOURCE_CAMERA,
        rtc.TrackSource.SOURCE_MICROPHONE,
        rtc.TrackSource.SOURCE_UNKNOWN,
    }
)
"""Sources that are subscribed to; screen shares are not."""

LOOPBACK = "127.0.0.1"

NEVER_FULL = 1.0
"""Highest possible CPU load: a ``load_threshold`` above declines no room."""
_AGENT_CLOSE_TIMEOUT = 10.0
"""Seconds to wait for the worker to close."""


class AgentSettings(BaseSettings):
    """Settings from the environment (``PROCTORING_LIVEKIT_*``)."""

    model_config = SettingsConfigDict(env_prefix="PROCTORING_LIVEKIT_", extra="ignore")

    candidates: str = CANDIDATES
    """Participants who are proctored (``roles.parse_role``)."""
    proctors: str = PROCTORS
    """Participants who receive events and may call RPC methods. Anybody who ever was a candidate in the
    room is excluded."""
    policy: str | None = None
    """Name of the policy, unless a dispatch names another; ``None``: the server's default."""
    audio: bool = True
    """Whether audio is forwarded."""
    rejoin_grace: float = Field(default=60.0, ge=0)
    """Seconds within which a candidate who left may rejoin and continue."""


class RoomProctor:
    """One ``Procturing`` per candidate of one connected room, from joining to leaving."""

    def __init__(
        self, room: rtc.Room, settings: AgentSettings, dispatch: Dispatch | None = None
    ) -> None:
        self.candidates: dict[str, Procturing] = {}
        """By identity."""
        self._room = room
        self._settings = settings
        self._dispatch = dispatch or Dispatch()
        self._candidate_role: Role = parse_role(settings.candidates)
        self._channel = ProctorChannel(room, proctors=settings.proctors)
        self._elder = ElderAnswers(self._proctors, self._tell)
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Handle the participants who are present and those who join."""
        self._room.on("data_received", self._elder.receive)
        self._room.on("participant_connected", self._on_participant)
        self._room.on("participant_attributes_changed", self._on_attributes_changed)
        self._room.on("participant_metadata_changed", self._on_metadata_changed)
        self._room.on("participant_disconnected", self._on_left)
        self._room.on("track_published", self._on_published)
        self._room.on("track_subscribed", self._on_subscribed)
        for participant in self._room.remote_participants.values():
            self._on_participant(participant)

    async def aclose(self) -> None:
        """Stop all proctoring."""
        for task in [*self._tasks, *self._leaving.values()]:
            task.cancel()
        await asyncio.gather(*(each.aclose() for each in self.candidates.values()))
        await self._channel.aclose()
        self.candidates.clear()

    def _proctors(self) -> bool:
        """Whether nothing keeps this agent from proctoring, for one that was dispatched to the same room."""
        return not any(each.status()["problems"] for each in self.candidates.values())

    async def _tell(self, text: str, identity: str) -> None:
        await self._room.local_participant.publish_data(
            text, destination_identities=[identity], topic=TOPIC
        )

    def _on_participant(self, participant: rtc.RemoteParticipant) -> None:
        identity = participant.identity
        if leaving := self._leaving.pop(identity, None):
            leaving.cancel()
        if identity not in self.candidates:
            if not self._candidate_role.held_by(participant):
                return
            self.candidates[identity] = Procturing(
                participant,
                self._room,
                session_id=self._dispatch.sessions.get(identity),
                policy=self._dispatch.policy or self._settings.policy,
                accommodations=self._dispatch.accommodations.get(identity),
                mirrored=self._dispatch.mirrored,
                on_event=IncidentLines(server_address()).log,
                channel=self._channel,
            )
            logger.info("a candidate joined; %d in the room", len(self.candidates))
        for publication in participant.track_publications.values():
            self._on_published(publication, participant)

    def _on_attributes_changed(self, _: dict[str, str], participant: rtc.Participant) -> None:
        if isinstance(participant, rtc.RemoteParticipant):
            self._on_participant(participant)

    def _on_metadata_changed(self, participant: rtc.Participant, _: str, __: str) -> None:
        if isinstance(participant, rtc.RemoteParticipant):
            self._on_participant(participant)

    def _on_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        if participant.identity not in self.candidates or publication.source not in _MEDIA:
            return
        if publication.kind == rtc.TrackKind.KIND_AUDIO and not self._settings.audio:
            return
        if publication.track is not None:
            self._on_subscribed(publication.track, publication, participant)
        elif not publication.subscribed:
            publication.set_subscribed(True)

    def _on_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        proctoring = self.candidates.get(participant.identity)
        if proctoring is None or publication.source not in _MEDIA:
            return
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            proctoring.video_track = track
            self._start_task(proctoring.start_if_ready())
        elif self._settings.audio:
            self._start_task(proctoring.enable_audio(track))

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity in self.candidates:
            self._leaving[participant.identity] = asyncio.create_task(
                self._close_later(participant.identity)
            )

    async def _close_later(self, identity: str) -> None:
        # Meanwhile the session stays open at the server, and its events are still published.
        await asyncio.sleep(self._settings.rejoin_grace)
        self._leaving.pop(identity, None)
        await self.candidates.pop(identity).aclose()
        logger.info("a candidate left; %d in the room", len(self.candidates))

    def _start_task(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _logged(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except Exception:
        logger.exception("starting to proctor failed")


async def entrypoint(ctx: JobContext) -> None:
    """The job of one room. Settings come from the environment, which job processes inherit."""
    proctor = RoomProctor(ctx.room, AgentSettings(), parse_dispatch(ctx.job.metadata))
    await ctx.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    if await has_living_elder(ctx.room, ctx.api, ctx.job.agent_name):
        logger.info("another agent proctors this room: leaving it")
        ctx.shutdown("another agent proctors this room")
        return
    proctor.start()

    async def stop(_: str) -> None:
        await proctor.aclose()

    ctx.add_shutdown_callback(stop)


def create_server(agent_name: str = "", **options: Any) -> AgentServer:
    """The worker. With a name it waits for a dispatch to that name; without, it joins every room.

    Args:
        agent_name: LiveKit's agent name.
        options: of ``AgentServer``. A ``load_threshold`` above 1 declines no room, not even while the
            proctoring server refuses sessions. The HTTP port of the
            health check listens on this machine only, unless ``host`` is another.
    """
    options.setdefault("host", LOOPBACK)
    on_request: Callable[[JobRequest], Any] | None = answer_job_request
    if options.get("load_threshold", 0.0) > NEVER_FULL:
        on_request = None
        # LiveKit itself skips workers that report a load above its own limit (target_load, 0.7).
        options.setdefault("load_fnc", _no_load)
    options.setdefault("permissions", PERMISSIONS)
    options.setdefault("preload_modules", [__name__])
    server = AgentServer(**options)
    server.rtc_session(entrypoint, agent_name=agent_name, on_request=on_request)
    return server


def _no_load(_: AgentServer) -> float:
    return 0.0


async def serve(server: AgentServer, *, development: bool, watched: str | None = None) -> None:
    """Run the worker until SIGTERM or SIGINT, then let running jobs finish (not in development).

    Args:
        server: from ``create_server``.
        development: against ``livekit-server --dev``.
        watched: the agent's name, to dispatch it again to rooms without one; ``None``: rooms are not watched.
    """
    if development:
        # The secret of `livekit-server --dev` is short, and known to everybody.
        warnings.filterwarnings("ignore", message="The HMAC key is")
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = asyncio.create_task(server.run(devmode=development))
    waiting = asyncio.create_task(stop.wait())
    watching = None if watched is None else asyncio.create_task(_watch_rooms(watched))
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if watching is not None:
        watching.cancel()
    if running.done():
        running.result()
        return
    # A second signal ends the process at once.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    if not development:
        try:
            await server.drain()
        except TimeoutError:
            logger.warning("jobs still run after the drain timeout; ending them")
    await server.aclose()
    await asyncio.wait({running}, timeout=_AGENT_CLOSE_TIMEOUT)


async def _watch_rooms(agent_name: str) -> None:
    settings = AgentSettings()
    # Address and key are in the environment, where the worker puts them for its jobs.
    async with api.LiveKitAPI() as livekit:
        watcher = RoomWatcher(
            livekit,
            server_address(),
            agent_name=agent_name,
            candidates=parse_role(settings.candidates),
            audio=settings.audio,
        )
        await watcher.run()


def check_settings() -> AgentSettings:
    """The settings, validated before any worker starts. Raises ``SettingsError``."""
    try:
        settings = AgentSettings()
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    parse_role(settings.candidates)
    parse_role(settings.proctors)
    return settings
