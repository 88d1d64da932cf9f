"""How often the eyes blink: a print never does."""

from __future__ import annotations

from collections import deque

WATCHED_SECONDS = 30.0
MIN_SECONDS = 20.0
_SHUT = 0.6
"""Share of the eyes' usual aperture below which they are shut. At ten frames a second a blink is
one to three frames, often caught half way."""
_LONGEST = 0.6
"""Seconds: what lasts longer is a look down or sleep, not a blink."""


class Blinks:
    """The blinks of one followed face within the last half minute."""

    def __init__(self) -> None:
        self.count = 0
        """Blinks since watching began."""
        self._apertures: deque[tuple[float, float]] = deque()
        self._blinks: deque[float] = deque()
        self._shut_since: float | None = None

    def update(self, time: float, aperture: float) -> None:
        """Take in the lids' distance in eye widths (``EyeShape.aperture``); times rise."""
        self._apertures.append((time, aperture))
        while time - self._apertures[0][0] > WATCHED_SECONDS:
            self._apertures.popleft()
        while self._blinks and time - self._blinks[0] > WATCHED_SECONDS:
            self._blinks.popleft()
        usual = sorted(value for _, value in self._apertures)[len(self._apertures) // 2]
        if aperture < _SHUT * usual:
            if self._shut_since is None:
                self._shut_since = time
        elif self._shut_since is not None:
            if time - self._shut_since <= _LONGEST:
                self._blinks.append(time)
                self.count += 1
            self._shut_since = None

    @property
    def per_minute(self) -> float | None:
        """Blinks a minute; ``None`` before the eyes were watched for 20 s."""
        if not self._apertures:
            return None
        watched = self._apertures[-1][0] - self._apertures[0][0]
        return None if watched < MIN_SECONDS else len(self._blinks) * 60 / watched
