"""``Procturing``: one candidate in a LiveKit room, forwarded to the server; its alerts brought back."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Self

from livekit import rtc

from proctoring.livekit.address import end_session, ensure_session, last_seq, server_address
from proctoring.livekit.audio import AudioForwarder
from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.channel import ProctorChannel
from proctoring.livekit.link import Link
from proctoring.livekit.listener import EventListener
from proctoring.livekit.messages import Incident, ProctoringEvent
from proctoring.livekit.names import session_id as default_session_id
from proctoring.livekit.video import VideoForwarder

logger = logging.getLogger("proctoring.livekit")

EventHandler = Callable[[ProctoringEvent], Awaitable[None] | None]

_SCREENS = frozenset({rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO})
_QUEUED = 10_000
"""Events that may wait for a slow handler or iterator; beyond, the oldest go and are counted."""
_LISTEN_FIRST = 2.0
"""Seconds that media wait at the start for the events socket to open."""
_REMEMBERED = 10_000
"""Incidents whose acknowledgements are kept."""


class Procturing:
    """Forwards a participant's camera and microphone to the server, and brings back what it finds.

    ::

        proctor = Procturing(participant, room, on_event=print)
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            proctor.video_track = track
            await proctor.start_if_ready()
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            await proctor.enable_audio(track)
        ...
        await proctor.aclose()

    From then on it follows the participant by itself: a camera that is switched or published again,
    a participant who comes back, a server or a LiveKit server that was away. Screen shares are never
    forwarded.

    Args:
        participant: the candidate.
        room: the connected room that the candidate is in.
        url: the server's address; else ``PROCTORING_URL``, else ``ws://localhost:8000``.
        token: shown to the server; else ``PROCTORING_TOKEN``.
        session_id: the session's name at the server; else made of the room's name and the
            participant's identity, so that a room of the same name goes on with the same session.
        policy: by which the server judges; else its default.
        accommodations: changes of the policy for this candidate.
        mirrored: whether the candidate's pictures come mirrored.
        on_event: called with every event, in order; a plain function or a coroutine function.
        channel: if given, the room's proctors are told too.
    """

    def __init__(
        self,
        participant: rtc.RemoteParticipant,
        room: rtc.Room,
        *,
        url: str | None = None,
        token: str | None = None,
        session_id: str | None = None,
        policy: str | None = None,
        accommodations: Mapping[str, Any] | None = None,
        mirrored: bool = False,
        on_event: EventHandler | None = None,
        channel: ProctorChannel | None = None,
    ) -> None:
        self.participant = participant
        self.identity = participant.identity
        self.room = room
        self.session_id = session_id or default_session_id(room.name, participant.identity)
        self.dropped_events = 0
        """Events that a slow handler or iterator did not get."""
        self._server = server_address(url, token)
        self._options: dict[str, Any] = {}
        if policy is not None:
            self._options["policy"] = policy
        if accommodations:
            self._options["accommodations"] = dict(accommodations)
        if mirrored:
            self._options["mirrored"] = True
        self._channel = channel

        clock = CaptureClock()
        self._video = VideoForwarder(clock)
        self._audio = AudioForwarder(clock)
        self._listener = EventListener(self._dispatch)
        self._links = {
            "events": self._link("events", self._events_address, self._listener.talk),
            "video": self._link("video", self._video_address, self._video.talk),
            "audio": self._link("audio", self._audio_address, self._audio.talk),
        }

        self._video_track: rtc.Track | None = None
        self._audio_track: rtc.Track | None = None
        self._runs: dict[str, asyncio.Task[None]] = {}
        """Links and readers that run, by name."""
        self._stopping: set[asyncio.Task[None]] = set()
        """Readers of tracks that were replaced, until their streams are closed."""
        self._audio_wanted = False
        self._video_wanted = False
        self._started = False
        self._closed = False

        self._open: dict[str, Incident] = {}
        self._alerts = 0
        self._acknowledged: OrderedDict[str, str] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._iterators: list[asyncio.Queue[ProctoringEvent | None]] = []
        self._on_event = on_event

    # What the application does

    @property
    def video_track(self) -> rtc.Track | None:
        """The camera's track. Setting another while running replaces it."""
        return self._video_track

    @video_track.setter
    def video_track(self, track: rtc.Track | None) -> None:
        if track is not None and self._is_screen(track):
            logger.info("a shared screen is not the candidate's camera: not forwarded")
            return
        if track is self._video_track:
            return
        self._video_track = track
        if self._video_wanted:
            self._read("camera", track, self._video.read)

    async def start_if_ready(self) -> bool:
        """Start forwarding if there is a video track; does nothing when it runs. Whether it runs."""
        if self._closed:
            raise RuntimeError("this Procturing was closed")
        if self._video_track is None:
            return False
        if not self._video_wanted:
            self._start()
            self._video_wanted = True
            self._run("video", self._links["video"].run())
            self._read("camera", self._video_track, self._video.read)
        return True

    async def enable_audio(self, track: rtc.Track) -> None:
        """Forward this sound too; another track replaces the one before."""
        if self._closed:
            raise RuntimeError("this Procturing was closed")
        if self._is_screen(track):
            logger.info("a shared screen's sound is not the candidate's microphone: not forwarded")
            return
        if track is self._audio_track:
            return
        self._audio_track = track
        self._start()
        if not self._audio_wanted:
            self._audio_wanted = True
            self._run("audio", self._links["audio"].run())
        self._read("microphone", track, self._audio.read)

    async def events(self) -> AsyncIterator[ProctoringEvent]:
        """Every event from now on, in order, until this is closed."""
        queue = self._subscribe()
        try:
            while (event := await queue.get()) is not None:
                yield event
        finally:
            self._iterators.remove(queue)

    def status(self) -> dict[str, Any]:
        """How things stand: links, frames, sound, incidents that are open. Plain data, no media."""
        problems = [
            f"{name}: {link.state}{f' ({link.reason})' if link.reason else ''}"
            for name, link in self._links.items()
            if name in self._runs and link.state != "open"
        ]
        return {
            "session_id": self.session_id,
            "candidate": self.identity,
            "links": {
                name: {"state": link.state.value, "connections": link.connections}
                for name, link in self._links.items()
                if name in self._runs
            },
            "problems": problems,
            "flow": asdict(self._video.flow),
            "frames": asdict(self._video.counts),
            "sound": {
                "sent_seconds": round(self._audio.sent_seconds, 1),
                "waiting_seconds": round(self._audio.buffer.waiting_seconds, 1),
                "lost_seconds": round(self._audio.buffer.lost_seconds, 1),
            },
            "last_errors": {
                name: text
                for name, text in (
                    ("video", self._video.last_error),
                    ("audio", self._audio.last_error),
                )
                if text
            },
            "events": {
                "last_seq": self._listener.last_seq,
                "missed": self._listener.missed,
                "dropped": self.dropped_events,
            },
            "alerts": self._alerts,
            "open": [
                {
                    "id": each.id,
                    "kind": each.kind,
                    "label": each.label,
                    "severity": each.severity,
                    "started_at": each.started_at,
                    "acknowledged_by": self._acknowledged.get(each.id),
                }
                for each in self._open.values()
            ],
        }

    def acknowledge(self, incident: str, by: str) -> bool:
        """Note that somebody saw an incident. ``False`` when this session had no such incident."""
        if incident not in self._known:
            return False
        self._acknowledged[incident] = by
        return True

    async def end_session(self) -> None:
        """Close, and end the session at the server now rather than after its grace period.

        Raises ``OSError`` when the server cannot be reached.
        """
        await self.aclose()
        await end_session(self._server, self.session_id)

    async def aclose(self) -> None:
        """Stop: streams and sockets are closed, iterators end. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._started:
            for event, handler in self._handlers():
                self.room.off(event, handler)
        if self._channel is not None:
            self._channel.remove(self)
        handler_task = self._runs.pop("handler", None)
        tasks = [*self._runs.values(), *self._stopping]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for queue in self._iterators:
            _put(queue, None)
        if handler_task is not None and handler_task is not asyncio.current_task():
            # What has arrived is still handled, unless the handler hangs.
            _, late = await asyncio.wait([handler_task], timeout=5)
            for task in late:
                task.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # The sockets

    def _link(
        self, name: str, where: Callable[[], str], talk: Callable[..., Awaitable[None]]
    ) -> Link:
        prepare = {"events": self._ready_for_events, "video": self._ready_for_video}
        return Link(
            name, self._server, where, talk, prepare=prepare.get(name, self._ready_for_sound)
        )

    async def _ready(self) -> None:
        # Before every connection, not once: a server that began anew knows nothing of the session,
        # and its first socket would open it under the default policy.
        if self._options:
            await ensure_session(self._server, self.session_id, self._options)

    async def _ready_for_events(self) -> None:
        await self._ready()
        if self._links["events"].connections and self._listener.last_seq:
            there = await last_seq(self._server, self.session_id)
            if there is not None and there < self._listener.last_seq:
                self._listener.begin_anew()

    async def _ready_for_video(self) -> None:
        # Listening first, so that nothing is found before anybody hears of it.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._links["events"].opened.wait(), _LISTEN_FIRST)
        await self._ready()

    async def _ready_for_sound(self) -> None:
        await self._audio.ready()
        await self._ready_for_video()

    def _events_address(self) -> str:
        # The first time from now on: what an earlier proctoring of this name heard is not told
        # twice, and a session of this name that ended stays ended.
        if not self._links["events"].connections:
            return self._server.socket(self.session_id, "events")
        return self._server.socket(self.session_id, "events", after=self._listener.last_seq)

    def _video_address(self) -> str:
        return self._server.socket(self.session_id, "video")

    def _audio_address(self) -> str:
        return self._server.socket(self.session_id, "audio", start=self._audio.start_us)

    # Tasks

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        for event, handler in self._handlers():
            self.room.on(event, handler)
        if self._on_event is not None:
            self._run("handler", self._call(self._on_event, self._subscribe()))
        self._run("events", self._links["events"].run())
        if self._channel is not None:
            self._channel.add(self)

    def _run(self, name: str, work: Any) -> None:
        task = asyncio.create_task(work, name=f"proctoring {name}")
        task.add_done_callback(_log_failure)
        self._runs[name] = task

    def _read(
        self,
        name: str,
        track: rtc.Track | None,
        read: Callable[[rtc.Track], Any],
    ) -> None:
        """Let the reader of this name read another track; the one before closes its stream."""
        before = self._runs.pop(name, None)
        if before is not None and not before.done():
            before.cancel()
            self._stopping.add(before)
            before.add_done_callback(self._stopping.discard)
        if track is not None:
            self._run(name, read(track))

    # Following the participant

    def _handlers(self) -> tuple[tuple[Any, Callable[..., None]], ...]:
        return (
            ("track_subscribed", self._track_came),
            ("track_unsubscribed", self._track_went),
            ("participant_connected", self._participant_came),
        )

    def _track_came(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if participant.identity != self.identity or publication.source in _SCREENS:
            return
        self.participant = participant
        if track.kind == rtc.TrackKind.KIND_VIDEO and self._video_wanted:
            self.video_track = track
        elif (
            track.kind == rtc.TrackKind.KIND_AUDIO
            and self._audio_wanted
            and track is not self._audio_track
        ):
            self._audio_track = track
            self._read("microphone", track, self._audio.read)

    def _track_went(
        self,
        track: rtc.Track,
        _: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if participant.identity != self.identity:
            return
        if track is self._video_track:
            self.video_track = None
        elif track is self._audio_track:
            self._audio_track = None
            self._read("microphone", None, self._audio.read)

    def _participant_came(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self.identity:
            self.participant = participant

    def _is_screen(self, track: rtc.Track) -> bool:
        publication = self.participant.track_publications.get(track.sid)
        return publication is not None and publication.source in _SCREENS

    # Events

    def _dispatch(self, event: ProctoringEvent) -> None:
        self._alerts += len(event.alerts)
        for incident in event.incidents:
            self._known[incident.id] = None
            if incident.state == "ended":
                self._open.pop(incident.id, None)
            else:
                self._open[incident.id] = incident
        while len(self._known) > _REMEMBERED:
            forgotten, _ = self._known.popitem(last=False)
            self._acknowledged.pop(forgotten, None)
        for queue in self._iterators:
            self.dropped_events += _put(queue, event)
        if self._channel is not None:
            self._channel.tell(self, event)

    def _subscribe(self) -> asyncio.Queue[ProctoringEvent | None]:
        queue: asyncio.Queue[ProctoringEvent | None] = asyncio.Queue(_QUEUED)
        self._iterators.append(queue)
        return queue

    async def _call(
        self, handler: EventHandler, queue: asyncio.Queue[ProctoringEvent | None]
    ) -> None:
        while (event := await queue.get()) is not None:
            try:
                result = handler(event)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                # The application's fault must not cost it the events that follow.
                logger.exception("the event handler failed")


def _put(queue: asyncio.Queue[ProctoringEvent | None], event: ProctoringEvent | None) -> int:
    """Add to a queue; if it is full its oldest goes. How many went."""
    dropped = 0
    if queue.full():
        queue.get_nowait()
        dropped = 1
    queue.put_nowait(event)
    return dropped


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("%s failed", task.get_name(), exc_info=error)
