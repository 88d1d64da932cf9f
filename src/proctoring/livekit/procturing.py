"""``Procturing``: forwards one candidate of a LiveKit room to the server and delivers its events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import asdict
from typing import Any, Self

from livekit import rtc

from proctoring.livekit.address import end_session, server_address
from proctoring.livekit.audio import AudioForwarder
from proctoring.livekit.capture import CaptureClock
from proctoring.livekit.channel import ProctorChannel
from proctoring.livekit.event_queues import EventHandler, EventQueues, call_handler
from proctoring.livekit.incident_log import IncidentLog
from proctoring.livekit.listener import EventListener
from proctoring.livekit.messages import ProctoringEvent
from proctoring.livekit.names import session_id as default_session_id
from proctoring.livekit.session_sockets import SessionSockets
from proctoring.livekit.tasks import NamedTasks
from proctoring.livekit.video import VideoForwarder

logger = logging.getLogger("proctoring.livekit")

_SCREEN_SHARES = frozenset(
    {rtc.TrackSource.SOURCE_SCREENSHARE, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO}
)
_HANDLER_TIMEOUT = 5.0
"""Seconds that the event handler may take, after closing, for events that have arrived."""


class Procturing:
    """Forwards a participant's camera and microphone to the server, and delivers the server's events.

    ::

        proctor = Procturing(participant, room, on_event=print)
        if track.kind == rtc.TrackKind.KIND_VIDEO:
            proctor.video_track = track
            await proctor.start_if_ready()
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            await proctor.enable_audio(track)
        ...
        await proctor.aclose()

    From then on it follows the participant: a camera that is switched or published again, a
    participant who rejoins, reconnections of either server. Screen shares are never forwarded.

    Args:
        participant: the candidate.
        room: the connected room that the candidate is in.
        url: the server's address; else ``PROCTORING_URL``, else ``ws://localhost:8000``.
        token: shown to the server; else ``PROCTORING_TOKEN``.
        session_id: the session's id at the server; else made of the room's name and the
            participant's identity, so that a room of the same name continues the same session.
        policy: name of the policy; else the server's default.
        accommodations: changes of the policy for this candidate.
        mirrored: whether the candidate's frames are mirrored.
        on_event: called with every event, in order; a plain function or a coroutine function.
        channel: if given, it publishes every event to the room's proctors.
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
        self._server = server_address(url, token)
        options: dict[str, Any] = {}
        if policy is not None:
            options["policy"] = policy
        if accommodations:
            options["accommodations"] = dict(accommodations)
        if mirrored:
            options["mirrored"] = True
        self._channel = channel

        clock = CaptureClock()
        self._video = VideoForwarder(clock)
        self._audio = AudioForwarder(clock)
        self._listener = EventListener(self._dispatch)
        self._sockets = SessionSockets(
            self._server,
            self.session_id,
            options,
            video=self._video,
            audio=self._audio,
            listener=self._listener,
        )

        self._video_track: rtc.Track | None = None
        self._audio_track: rtc.Track | None = None
        self._tasks = NamedTasks()
        """Sockets, readers of tracks and the handler."""
        self._audio_wanted = False
        self._video_wanted = False
        self._started = False
        self._closed = False

        self._incidents = IncidentLog()
        self._queues = EventQueues()
        self._on_event = on_event

    @property
    def dropped_events(self) -> int:
        """Events that a slow handler or iterator did not get."""
        return self._queues.dropped

    # The application's interface

    @property
    def video_track(self) -> rtc.Track | None:
        """The camera's track. Setting another while running replaces it."""
        return self._video_track

    @video_track.setter
    def video_track(self, track: rtc.Track | None) -> None:
        if track is not None and self._is_screen_share(track):
            logger.info("a screen share is not the candidate's camera: not forwarded")
            return
        if track is self._video_track:
            return
        self._video_track = track
        if self._video_wanted:
            self._read("camera", track, self._video.read)

    async def start_if_ready(self) -> bool:
        """Start forwarding if there is a video track. Returns whether it runs; idempotent."""
        if self._closed:
            raise RuntimeError("this Procturing was closed")
        if self._video_track is None:
            return False
        if not self._video_wanted:
            self._start()
            self._video_wanted = True
            self._tasks.start("video", self._sockets.video.run())
            self._read("camera", self._video_track, self._video.read)
        return True

    async def enable_audio(self, track: rtc.Track) -> None:
        """Forward this audio track too; it replaces an earlier one."""
        if self._closed:
            raise RuntimeError("this Procturing was closed")
        if self._is_screen_share(track):
            logger.info("a screen share's audio is not the candidate's microphone: not forwarded")
            return
        if track is self._audio_track:
            return
        self._audio_track = track
        self._start()
        if not self._audio_wanted:
            self._audio_wanted = True
            self._tasks.start("audio", self._sockets.audio.run())
        self._read("microphone", None if self._is_muted(track) else track, self._audio.read)

    def events(self) -> AsyncIterator[ProctoringEvent]:
        """Every event from now on, in order, until this is closed."""
        return self._queues.iterate()

    def status(self) -> dict[str, Any]:
        """Sockets, frames, audio and open incidents, as plain data."""
        running = {
            name: socket for name, socket in self._sockets.by_name.items() if name in self._tasks
        }
        problems = [
            f"{name}: {socket.state}{f' ({socket.reason})' if socket.reason else ''}"
            for name, socket in running.items()
            if socket.state not in ("open", "moving")
        ]
        return {
            "session_id": self.session_id,
            "candidate": self.identity,
            "sockets": {
                name: {"state": socket.state.value, "connections": socket.connections}
                for name, socket in running.items()
            },
            "problems": problems,
            "flow": asdict(self._video.flow),
            "frames": asdict(self._video.counts),
            "audio": {
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
            "alerts": self._incidents.alerts,
            "open": self._incidents.open_incidents(),
        }

    def acknowledge(self, incident: str, by: str) -> bool:
        """Note that somebody saw an incident. ``False``: this session had no such incident."""
        return self._incidents.acknowledge(incident, by)

    async def end_session(self) -> None:
        """Close, and end the session at the server now rather than after its grace period.

        Raises ``OSError`` when the server cannot be reached.
        """
        await self.aclose()
        await end_session(self._server, self.session_id)

    async def aclose(self) -> None:
        """Stop: closes streams and sockets, ends iterators. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._started:
            for event, handler in self._handlers():
                self.room.off(event, handler)
        if self._channel is not None:
            self._channel.remove(self)
        handler_task = self._tasks.take("handler")
        await self._tasks.cancel_all()
        self._queues.close()
        if handler_task is not None and handler_task is not asyncio.current_task():
            # Events that have arrived are still handled, unless the handler hangs.
            _, late = await asyncio.wait([handler_task], timeout=_HANDLER_TIMEOUT)
            for task in late:
                task.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def _start(self) -> None:
        if self._started:
            return
        self._started = True
        for event, handler in self._handlers():
            self.room.on(event, handler)
        if self._on_event is not None:
            self._tasks.start("handler", call_handler(self._on_event, self._queues.subscribe()))
        self._tasks.start("events", self._sockets.events.run())
        if self._channel is not None:
            self._channel.add(self)

    def _read(
        self,
        name: str,
        track: rtc.Track | None,
        read: Callable[[rtc.Track], Coroutine[Any, Any, None]],
    ) -> None:
        """Start a reader of a track; the previous reader of this name closes its stream."""
        self._tasks.stop(name)
        if track is not None:
            self._tasks.start(name, read(track))

    def _dispatch(self, event: ProctoringEvent) -> None:
        self._incidents.update(event)
        self._queues.publish(event)
        if self._channel is not None:
            self._channel.publish(self, event)

    # Following the participant

    def _handlers(self) -> tuple[tuple[Any, Callable[..., None]], ...]:
        return (
            ("track_subscribed", self._on_track_subscribed),
            ("track_unsubscribed", self._on_track_unsubscribed),
            ("track_muted", self._on_track_muted),
            ("track_unmuted", self._on_track_unmuted),
            ("participant_connected", self._on_participant_connected),
        )

    def _on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if participant.identity != self.identity or publication.source in _SCREEN_SHARES:
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
            heard = None if publication.muted else track
            self._read("microphone", heard, self._audio.read)

    def _on_track_unsubscribed(
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

    def _on_track_muted(
        self, participant: rtc.Participant, publication: rtc.TrackPublication
    ) -> None:
        """LiveKit gives zeros for a muted microphone: they are not forwarded as sound."""
        if self._is_the_microphone(participant, publication):
            self._read("microphone", None, self._audio.read)

    def _on_track_unmuted(
        self, participant: rtc.Participant, publication: rtc.TrackPublication
    ) -> None:
        if self._is_the_microphone(participant, publication):
            self._read("microphone", self._audio_track, self._audio.read)

    def _is_the_microphone(
        self, participant: rtc.Participant, publication: rtc.TrackPublication
    ) -> bool:
        track = self._audio_track
        return (
            participant.identity == self.identity
            and track is not None
            and publication.sid == track.sid
        )

    def _on_participant_connected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self.identity:
            self.participant = participant

    def _is_muted(self, track: rtc.Track) -> bool:
        publication = self.participant.track_publications.get(track.sid)
        return publication is not None and publication.muted

    def _is_screen_share(self, track: rtc.Track) -> bool:
        publication = self.participant.track_publications.get(track.sid)
        return publication is not None and publication.source in _SCREEN_SHARES
