"""A bounded buffer of audio that waits for analysis. What does not fit becomes a gap."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

import numpy as np

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
        self._gaps = 0

    def has(self, samples: int) -> bool:
        """Whether so many samples wait, or a gap."""
        with self._lock:
            return self._gaps > 0 or self._waiting >= samples

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
                self._gaps += 1

    def pop(self, most: int) -> Pcm | Gap | None:
        """Remove and return the oldest gap, or the samples before the next gap, at most ``most`` of them;
        ``None`` if the buffer is empty."""
        with self._lock:
            if not self._items:
                return None
            if isinstance(gap := self._items[0], Gap):
                self._items.popleft()
                self._gaps -= 1
                return gap
            pieces: list[Pcm] = []
            wanted = most
            while wanted and self._items and not isinstance(piece := self._items[0], Gap):
                self._items.popleft()
                if len(piece) > wanted:
                    self._items.appendleft(piece[wanted:])
                    piece = piece[:wanted]
                pieces.append(piece)
                wanted -= len(piece)
            self._waiting -= most - wanted
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
