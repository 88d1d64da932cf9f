"""A camera and a microphone for LiveKit, with real pictures and sound in them."""

from __future__ import annotations

import asyncio
import math
from functools import cache
from typing import Self

import numpy as np
from livekit import rtc
from numpy.typing import NDArray
from PIL import Image
from skimage import data

Picture = NDArray[np.uint8]
_RATE = 16_000


@cache
def portrait(width: int = 640, height: int = 480) -> Picture:
    """The astronaut (public domain, NASA), her face in the middle. (height, width, 4) RGBA."""
    whole = Image.fromarray(data.astronaut())  # type: ignore[no-untyped-call]
    face = whole.crop((64, 0, 384, 240)).resize((width, height))
    return np.asarray(face.convert("RGBA"))


@cache
def empty_room(width: int = 640, height: int = 480) -> Picture:
    """A picture without anybody. (height, width, 4) RGBA."""
    cup = Image.fromarray(data.coffee())  # type: ignore[no-untyped-call]
    return np.asarray(cup.resize((width, height)).convert("RGBA"))


class Camera:
    """A track that shows ``picture``, swaying a little as somebody does who sits.

    Change ``picture`` while it runs to show something else.
    """

    def __init__(
        self,
        picture: Picture,
        *,
        frames_per_second: float = 15,
        rotation: rtc.VideoRotation.ValueType = rtc.VideoRotation.VIDEO_ROTATION_0,
        sway: float = 6,
    ) -> None:
        self.picture = picture
        self.rotation = rotation
        self.frames_per_second = frames_per_second
        self.sway = sway
        self.sent = 0
        self._source = rtc.VideoSource(picture.shape[1], picture.shape[0])
        self.track = rtc.LocalVideoTrack.create_video_track("camera", self._source)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._source.aclose()

    async def _run(self) -> None:
        while True:
            shift = round(self.sway * math.sin(self.sent / 12))
            picture = np.roll(self.picture, shift, axis=1)
            height, width, _ = picture.shape
            frame = rtc.VideoFrame(width, height, rtc.VideoBufferType.RGBA, picture.tobytes())
            self._source.capture_frame(frame, rotation=self.rotation)
            self.sent += 1
            await asyncio.sleep(1 / self.frames_per_second)


class Microphone:
    """A track with sound in it: 16 kHz samples over and over, or a tone of 440 Hz."""

    def __init__(self, samples: NDArray[np.int16] | None = None) -> None:
        if samples is None:
            tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(_RATE) / _RATE)
            samples = tone.astype(np.int16)
        self._samples = samples
        self._source = rtc.AudioSource(_RATE, 1)
        self.track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._source.aclose()

    async def _run(self) -> None:
        step = _RATE // 100
        while True:
            for begin in range(0, len(self._samples) - step + 1, step):
                piece = self._samples[begin : begin + step]
                await self._source.capture_frame(rtc.AudioFrame(piece.tobytes(), _RATE, 1, step))
