"""The last seconds of one session's media, in memory, for evidence that may be asked for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.session.evidence.bystanders import Look

PICTURE_RATE = 10.0
"""Pictures kept per second: as many as are looked at. More cost memory and show a reviewer no more."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as it came."""

    time: float
    """Media time in seconds."""
    data: bytes
    """JPEG, so far as anybody looked."""


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A piece of sound."""

    time: float
    """Media time of its first sample, in seconds."""
    samples: Pcm

    @property
    def end(self) -> float:
        """Media time after its last sample."""
        return self.time + len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some seconds of a session."""

    pictures: tuple[Picture, ...]
    sounds: tuple[Sound, ...]
    looks: tuple[Look, ...]

    @property
    def size(self) -> int:
        """Bytes of media in it."""
        return sum(len(p.data) for p in self.pictures) + sum(s.samples.nbytes for s in self.sounds)


class MediaRing:
    """What is older than ``seconds``, or finds no room in ``max_bytes``, goes. Safe from many threads.

    Args:
        seconds: how far back it reaches at most.
        max_bytes: of pictures and sound together.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._pictures: deque[Picture] = deque()
        self._sounds: deque[Sound] = deque()
        self._looks: deque[Look] = deque()
        self._newest = 0.0
        self.size = 0
        """Bytes of media in it now."""

    def picture(self, time: float, data: bytes) -> None:
        """A picture arrived."""
        with self._lock:
            if self._pictures and time - self._pictures[-1].time < 0.9 / PICTURE_RATE:
                return
            self._pictures.append(Picture(time, data))
            self.size += len(data)
            self._trim(time)

    def sound(self, time: float, samples: Pcm) -> None:
        """Sound arrived, in order; ``time`` is that of its first sample."""
        with self._lock:
            self._sounds.append(Sound(time, samples))
            self.size += samples.nbytes
            self._trim(self._sounds[-1].end)

    def look(self, look: Look) -> None:
        """A picture was looked at."""
        with self._lock:
            self._looks.append(look)
            self._trim(look.time)

    def between(self, start: float, end: float, *, looks_around: float = 0.0) -> Stretch:
        """What there is from ``start`` to ``end``; looks from so many seconds before and after too."""
        with self._lock:
            return Stretch(
                tuple(p for p in self._pictures if start <= p.time <= end),
                tuple(s for s in self._sounds if s.end > start and s.time < end),
                tuple(
                    look
                    for look in self._looks
                    if start - looks_around <= look.time <= end + looks_around
                ),
            )

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._pictures.clear()
            self._sounds.clear()
            self._looks.clear()
            self.size = 0

    def _trim(self, time: float) -> None:
        self._newest = max(self._newest, time)
        oldest = self._newest - self._seconds
        while self._looks and self._looks[0].time < oldest:
            self._looks.popleft()
        while self._pictures and self._pictures[0].time < oldest:
            self._drop_picture()
        while self._sounds and self._sounds[0].end < oldest:
            self._drop_sound()
        while self.size > self._max_bytes:
            if self._sounds and not (
                self._pictures and self._pictures[0].time <= self._sounds[0].time
            ):
                self._drop_sound()
            else:
                self._drop_picture()

    def _drop_picture(self) -> None:
        self.size -= len(self._pictures.popleft().data)

    def _drop_sound(self) -> None:
        self.size -= self._sounds.popleft().samples.nbytes
