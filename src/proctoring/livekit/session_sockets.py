"""The three sockets of one session: their addresses, and what precedes every connection."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from proctoring.livekit.address import ServerAddress, ensure_session, last_seq
from proctoring.livekit.audio import AudioForwarder
from proctoring.livekit.listener import EventListener
from proctoring.livekit.reconnecting_socket import ReconnectingSocket
from proctoring.livekit.video import VideoForwarder

_EVENTS_FIRST = 2.0
"""Seconds that media wait at the start for the events socket to open."""


class SessionSockets:
    """Reconnecting sockets for video, audio and events; each runs only once it is needed.

    Args:
        server: address and token.
        session_id: the session's id at the server.
        options: policy and the like; with any, the session is created through the API first.
        video: sends frames.
        audio: sends audio.
        listener: receives events.
    """

    def __init__(
        self,
        server: ServerAddress,
        session_id: str,
        options: Mapping[str, Any],
        *,
        video: VideoForwarder,
        audio: AudioForwarder,
        listener: EventListener,
    ) -> None:
        self._server = server
        self._session_id = session_id
        self._options = options
        self._audio_forwarder = audio
        self._listener = listener
        self.events = ReconnectingSocket(
            "events",
            server,
            self._events_address,
            listener.run,
            prepare=self._prepare_events,
        )
        self.video = ReconnectingSocket(
            "video", server, self._video_address, video.run, prepare=self._prepare_video
        )
        self.audio = ReconnectingSocket(
            "audio", server, self._audio_address, audio.run, prepare=self._prepare_audio
        )

    @property
    def by_name(self) -> dict[str, ReconnectingSocket]:
        """All three."""
        return {socket.name: socket for socket in (self.events, self.video, self.audio)}

    async def _ensure_session(self) -> None:
        # Before every connection, not once: a server that restarted without its records does not
        # know the session, and its first socket would open it under the default policy.
        if self._options:
            await ensure_session(self._server, self._session_id, self._options)

    async def _prepare_events(self) -> None:
        await self._ensure_session()
        if self.events.connections and self._listener.last_seq:
            there = await last_seq(self._server, self._session_id)
            if there is not None and there < self._listener.last_seq:
                self._listener.reset()

    async def _prepare_video(self) -> None:
        # The events socket first, so that no event precedes its listener.
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVENTS_FIRST):
                await self.events.opened.wait()
        await self._ensure_session()

    async def _prepare_audio(self) -> None:
        await self._audio_forwarder.wait_for_audio()
        await self._prepare_video()

    def _events_address(self) -> str:
        # The first connection starts at the present: events that an earlier client of this id
        # received are not delivered again, and a session of this id that ended stays ended.
        if not self.events.connections:
            return self._server.socket(self._session_id, "events")
        return self._server.socket(self._session_id, "events", after=self._listener.last_seq)

    def _video_address(self) -> str:
        return self._server.socket(self._session_id, "video")

    def _audio_address(self) -> str:
        return self._server.socket(self._session_id, "audio", start=self._audio_forwarder.start_us)
