"""The recent media of a session, held in memory for evidence."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.session.evidence.bystanders import PeopleInFrame

FRAME_RATE = 10.0
"""Frames held per second: the rate of analysis. More would cost memory and show a reviewer no more."""


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrame:
    """A frame as received."""

    time: float
    """Media time in seconds."""
    data: bytes
    """JPEG; not necessarily valid."""


@dataclass(frozen=True, slots=True, eq=False)
class AudioChunk:
    """Consecutive audio samples."""

    time: float
    """Media time of the first sample, in seconds."""
    samples: Pcm

    @property
    def end(self) -> float:
        """Media time of the end of the last sample, in seconds."""
        return self.time + len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class MediaSegment:
    """The media of an interval of a session, each part in order of time."""

    frames: tuple[EncodedFrame, ...]
    audio: tuple[AudioChunk, ...]
    people: tuple[PeopleInFrame, ...]

    @property
    def size(self) -> int:
        """Bytes of media."""
        frames = sum(len(frame.data) for frame in self.frames)
        return frames + sum(chunk.samples.nbytes for chunk in self.audio)


class MediaBuffer:
    """A ring buffer of frames, audio and where people were. Thread-safe.

    Args:
        seconds: of media time; what is older is dropped.
        max_bytes: of frames and audio together; the oldest are dropped first.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._frames: deque[EncodedFrame] = deque()
        self._audio: deque[AudioChunk] = deque()
        self._people: deque[PeopleInFrame] = deque()
        self._newest = 0.0
        self.size = 0
        """Bytes of media held."""

    def add_frame(self, time: float, data: bytes) -> None:
        """Add a frame, unless it follows the last one faster than ``FRAME_RATE``."""
        with self._lock:
            if self._frames and time - self._frames[-1].time < 0.9 / FRAME_RATE:
                return
            self._frames.append(EncodedFrame(time, data))
            self.size += len(data)
            self._trim(time)

    def add_audio(self, time: float, samples: Pcm) -> None:
        """Add audio, in order; ``time`` is the media time of its first sample."""
        with self._lock:
            self._audio.append(AudioChunk(time, samples))
            self.size += samples.nbytes
            self._trim(self._audio[-1].end)

    def add_people(self, people: PeopleInFrame) -> None:
        """Add where people were in a frame."""
        with self._lock:
            self._people.append(people)
            self._trim(people.time)

    def between(self, start: float, end: float, *, people_margin: float = 0.0) -> MediaSegment:
        """The media from ``start`` to ``end``; people also from ``people_margin`` seconds before
        and after."""
        first, last = start - people_margin, end + people_margin
        with self._lock:
            return MediaSegment(
                tuple(frame for frame in self._frames if start <= frame.time <= end),
                tuple(chunk for chunk in self._audio if chunk.end > start and chunk.time < end),
                tuple(people for people in self._people if first <= people.time <= last),
            )

    def clear(self) -> None:
        """Drop everything."""
        with self._lock:
            self._frames.clear()
            self._audio.clear()
            self._people.clear()
            self.size = 0

    def _trim(self, time: float) -> None:
        self._newest = max(self._newest, time)
        oldest = self._newest - self._seconds
        while self._people and self._people[0].time < oldest:
            self._people.popleft()
        while self._frames and self._frames[0].time < oldest:
            self._drop_frame()
        while self._audio and self._audio[0].end < oldest:
            self._drop_audio()
        while self.size > self._max_bytes:
            if self._audio and not (self._frames and self._frames[0].time <= self._audio[0].time):
                self._drop_audio()
            else:
                self._drop_frame()

    def _drop_frame(self) -> None:
        self.size -= len(self._frames.popleft().data)

    def _drop_audio(self) -> None:
        self.size -= self._audio.popleft().samples.nbytes
