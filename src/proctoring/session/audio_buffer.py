"""A bounded buffer of audio that waits for analysis. What does not fit becomes a gap."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

from proctoring.audio.pcm import SAMPLE_RATE, Pcm

CAPACITY = 30 * SAMPLE_RATE
"""Samples that may wait: 30 s."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Missing audio."""

    seconds: float


class AudioBuffer:
    """First in, first out. Thread-safe."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._items: deque[Pcm | Gap] = deque()
        self._waiting = 0

    def put(self, samples: Pcm) -> float:
        """Add samples. Returns the seconds of them that did not fit and became a gap."""
        with self._lock:
            fits = samples[: max(0, self._capacity - self._waiting)]
            if len(fits):
                self._items.append(fits)
                self._waiting += len(fits)
            lost = (len(samples) - len(fits)) / SAMPLE_RATE
        if lost:
            self.put_gap(lost)
        return lost

    def put_gap(self, seconds: float) -> None:
        """Add a gap; it is merged with one before it."""
        with self._lock:
            if self._items and isinstance(last := self._items[-1], Gap):
                self._items[-1] = Gap(last.seconds + seconds)
            else:
                self._items.append(Gap(seconds))

    def pop(self, most: int) -> Pcm | Gap | None:
        """Remove and return the oldest gap or samples, at most ``most`` of them; ``None`` if the
        buffer is empty."""
        with self._lock:
            if not self._items:
                return None
            first = self._items.popleft()
            if isinstance(first, Gap):
                return first
            if len(first) > most:
                self._items.appendleft(first[most:])
                first = first[:most]
            self._waiting -= len(first)
            return first
