"""An exam room as its people see it: a candidate, a proctor, and whoever watches unseen."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any, Self

import numpy as np
from livekit import rtc
from numpy.typing import NDArray
from tests.livekit.contract_server import until
from tests.livekit.media import Camera, Microphone, Picture
from tests.livekit.processes import LiveKit

from proctoring.livekit.channel import TOPIC

SOON = 180.0
"""Seconds within which things happen, also on a busy machine."""


class Person:
    """Somebody in a room, with all text that reached them on the proctors' topic."""

    def __init__(self, livekit: LiveKit, room: str, identity: str, **token: Any) -> None:
        self.identity = identity
        self.room = rtc.Room()
        self.heard: list[dict[str, Any]] = []
        self._livekit = livekit
        self._token = livekit.token(room, identity, **token)
        self._stack = AsyncExitStack()
        self._reading: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.room.register_text_stream_handler(TOPIC, self._text_came)
        await self.room.connect(self._livekit.url, self._token)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.room.disconnect()
        await self._stack.aclose()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events messages that were told."""
        return [message["event"] for message in self.heard if "event" in message]

    def alerts(self, label: str = "No Face Detected") -> list[int]:
        """The numbers of the events that announced this label."""
        return [event["seq"] for event in self.events if label in event["alerts"]]

    @property
    def agent(self) -> str:
        """Whom to ask by RPC: hidden, but it said who it is."""
        found: str = next(message["hello"]["agent"] for message in self.heard if "hello" in message)
        return found

    async def ask(self, method: str, **request: Any) -> Any:
        """Call the agent."""
        answer = await self.room.local_participant.perform_rpc(
            destination_identity=self.agent,
            method=method,
            payload=json.dumps(request),
            response_timeout=SOON,
        )
        return json.loads(answer)

    async def show(
        self,
        picture: Picture,
        *,
        source: rtc.TrackSource.ValueType = rtc.TrackSource.SOURCE_CAMERA,
        **options: Any,
    ) -> Camera:
        """Publish a camera, until leaving."""
        camera = await self._stack.enter_async_context(Camera(picture, **options))
        await self.room.local_participant.publish_track(
            camera.track, rtc.TrackPublishOptions(source=source)
        )
        return camera

    async def speak(self, samples: NDArray[np.int16] | None = None) -> Microphone:
        """Publish a microphone, until leaving: 16 kHz samples, or a tone."""
        microphone = await self._stack.enter_async_context(Microphone(samples))
        await self.room.local_participant.publish_track(
            microphone.track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )
        return microphone

    async def meet(self, identity: str) -> rtc.RemoteParticipant:
        """Wait until somebody is there."""
        await until(lambda: identity in self.room.remote_participants, SOON)
        return self.room.remote_participants[identity]

    def _text_came(self, reader: rtc.TextStreamReader, _: str) -> None:
        task = asyncio.create_task(self._read(reader))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        self.heard.append(json.loads(await reader.read_all()))
