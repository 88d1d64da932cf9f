"""Finds pictures that return exactly, in the same order: a recording that is played again.

The sensor noise of a camera never repeats, so two equal pictures seconds apart are one picture sent
twice. A stopped camera and a sender that repeats its last frame do that too; they are told apart by
what a repetition needs here: several *different* pictures, in their former order (or backwards), that
show movement. ``docs/accuracy.md`` says what is found, and after how many turns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.vision.frame import Frame
from proctoring.vision.frame_change import Thumbnail, thumbnail

MEMORY = 6000
"""Different pictures that are remembered, 16 bytes each: ten minutes at ten frames a second."""
MIN_LAG = 1.8
"""Seconds after which a picture must return: loops of 2 s, and some jitter."""
_WINDOW = 30.0
"""Seconds in which returned pictures are counted."""
_MAX_RETURNED = 300
"""Returned pictures that are kept: the window at ten frames a second."""
_MIN_PICTURES = 6
"""Different pictures that must return in order."""
_MIN_SPAN = 1.5
"""Seconds over which they must return: a sender that repeats its last second is no loop."""
_TOLERANCE = 0.5
"""Seconds by which the lags may differ: frames without capture times have those of their arrival."""
_MAX_PAUSE = 4.0
"""Seconds without a returned picture after which the repetition has ended."""
_MAX_RETURNS = 8
"""Earlier times of one picture that are considered, the latest."""
_MOVING_AREAS = 10
"""Areas of a thumbnail, of 192, that must show movement: a light or a clock in a made, still picture
fills fewer."""
_MIN_MOVEMENT = 0.4
"""Mean deviation of such an area within the returned pictures, in grey levels. One picture in JPEG
qualities drawn from 30 to 95 gave .39 at most, the quietest two seconds of 41 recordings of people .45."""
_MIN_SHARE = 0.5
"""Share of all returned pictures of that time that are in order. A still picture in ever changing
qualities returns at any lag."""
_MANY_PICTURES = 20
"""Different pictures from which a smaller share suffices."""
_MIN_SHARE_OF_MANY = 0.2
"""That share: a still picture in 31 qualities gave .16, the later turns of a loop of 25 frames a
second, of which five are sampled, .24."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """Pictures that return."""

    lag: float
    """Seconds between the last returned picture and its earlier time."""
    backwards: bool
    """Whether they return in reverse order."""


@dataclass(frozen=True, slots=True, eq=False)
class ReturnedPicture:
    """A picture that was there before."""

    time: float
    digest: int
    earlier: tuple[float, ...]
    """Earlier times of the same picture."""
    thumbnail: Thumbnail


@dataclass(frozen=True, slots=True, eq=False)
class RepetitionHistory:
    """Pictures that may return."""

    digests: NDArray[np.uint64]
    """(n,) of the last pictures, in order."""
    times: NDArray[np.float64]
    """(n,) their media times."""
    returned: tuple[ReturnedPicture, ...] = ()
    pictures: int = 0
    """How many were added, those that are no longer remembered included."""


class RepetitionDetector:
    """Remembers one session's pictures as digests, in 100 kB.

    Args:
        history: of a continued session; with a part of it, loops are found that are no longer than that.
    """

    def __init__(self, history: RepetitionHistory | None = None) -> None:
        self._digests = np.zeros(MEMORY, np.uint64)
        self._times = np.zeros(MEMORY, np.float64)
        self._pictures = 0
        self._last = -1
        self._returned: deque[ReturnedPicture] = deque(maxlen=_MAX_RETURNED)
        if history is not None and len(history.digests):
            known = len(history.digests)
            whole = known == min(history.pictures, MEMORY)
            self._pictures = history.pictures if whole else known
            places = np.arange(self._pictures - known, self._pictures) % MEMORY
            self._digests[places], self._times[places] = history.digests, history.times
            self._last = int(history.digests[-1])
            self._returned.extend(history.returned)

    def history(self, pictures: int = MEMORY, *, returned: bool = True) -> RepetitionHistory:
        """For a snapshot: the last pictures, at most so many, and those that have returned."""
        known = min(pictures, self._pictures, MEMORY)
        places = np.arange(self._pictures - known, self._pictures) % MEMORY
        return RepetitionHistory(
            self._digests[places],
            self._times[places],
            tuple(self._returned) if returned else (),
            self._pictures,
        )

    def update(self, frame: Frame) -> None:
        """Add one frame. Times must rise. A frame equal to the one before it is ignored. Only a picture
        that returns is decoded."""
        time, digest = frame.time, frame.digest
        if digest == self._last:
            return
        self._last = digest
        known = min(self._pictures, MEMORY)
        times = self._times[:known][self._digests[:known] == np.uint64(digest)]
        times = np.sort(times[times <= time - MIN_LAG])[-_MAX_RETURNS:]
        if times.size:
            earlier = tuple(float(one) for one in times)
            self._returned.append(ReturnedPicture(time, digest, earlier, thumbnail(frame.pixels)))
        self._digests[self._pictures % MEMORY] = digest
        self._times[self._pictures % MEMORY] = time
        self._pictures += 1

    def repetition(self, time: float) -> Repetition | None:
        """What returns at present; ``None``: nothing does."""
        while self._returned and self._returned[0].time < time - _WINDOW:
            self._returned.popleft()
        if len(self._returned) < _MIN_PICTURES:
            return None
        # Played forwards, time and earlier time have a constant difference; backwards, sum.
        forwards = _densest((t.time - one, t) for t in self._returned for one in t.earlier)
        backwards = _densest((t.time + one, t) for t in self._returned for one in t.earlier)
        order, best = max((forwards, backwards), key=lambda found: len(_different(found[1])))
        if not self._is_repetition(best, time):
            return None
        reverse = order == backwards[0] and best is backwards[1]
        last = max(best, key=lambda one: one.time)
        expected = order - last.time if reverse else last.time - order
        lag = last.time - min(last.earlier, key=lambda one: abs(one - expected))
        return Repetition(lag, reverse)

    def _is_repetition(self, found: list[ReturnedPicture], time: float) -> bool:
        different = len(_different(found))
        if different < _MIN_PICTURES:
            return False
        times = [one.time for one in found]
        first, last = min(times), max(times)
        if last - first < _MIN_SPAN or time - last > _MAX_PAUSE:
            return False
        returned = sum(first <= one.time <= last for one in self._returned)
        thumbnails = np.stack([one.thumbnail for one in found])
        deviation = np.sort(np.abs(thumbnails - thumbnails.mean(axis=0)).mean(axis=0))
        movement = float(deviation[-_MOVING_AREAS])
        share = _MIN_SHARE if different < _MANY_PICTURES else _MIN_SHARE_OF_MANY
        return len(set(times)) >= share * returned and movement >= _MIN_MOVEMENT


def _densest(votes: Iterable[tuple[float, ReturnedPicture]]) -> tuple[float, list[ReturnedPicture]]:
    """The stretch of ``_TOLERANCE`` with the most different pictures, of these the one with the most
    returns: its middle, and the returned pictures."""
    ordered = sorted(votes, key=lambda vote: vote[0])
    counts: dict[int, int] = {}
    first, best, most = 0, (0, 0), (0, 0)
    for last, (value, one) in enumerate(ordered):
        counts[one.digest] = counts.get(one.digest, 0) + 1
        while value - ordered[first][0] > _TOLERANCE:
            digest = ordered[first][1].digest
            counts[digest] -= 1
            if not counts[digest]:
                del counts[digest]
            first += 1
        size = (len(counts), last + 1 - first)
        if size > most:
            most, best = size, (first, last + 1)
    chosen = ordered[slice(*best)]
    if not chosen:
        return 0.0, []
    return (chosen[0][0] + chosen[-1][0]) / 2, [one for _, one in chosen]


def _different(returned: list[ReturnedPicture]) -> set[int]:
    return {one.digest for one in returned}
