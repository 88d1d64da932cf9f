"""Where in media time the next sample of a session's sound belongs."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.errors import ProctoringError

LATE = 2.0
"""Seconds by which sound may lag behind its arrival before it counts as late."""
LATE_FOR = 5.0
"""Seconds of being late after which the sound in between is taken as missing: a client that was
muted. A stalled network catches up sooner, since what it held back comes in one burst."""
RATE_WINDOW = 5.0
"""Seconds of arrival over which the rate of samples is measured."""
MAX_RATE = 1.5
"""Times 16,000 samples a second, over two windows in a row, from which on this is no 16 kHz mono
16 bit sound: 48 kHz arrives at 3, 44.1 kHz at 2.8, stereo and 32 bit at 2. Two, since the first
may hold what a client kept while it was disconnected."""
OVERLAP = 0.02
"""Seconds by which a reconnected client's start may miss the end of what came before."""


class WrongRateError(ProctoringError):
    """Sound that is not 16 kHz, 16 bit, mono."""

    code = "wrong_rate"


@dataclass(frozen=True, slots=True)
class Placement:
    """What to do with a piece of sound."""

    gap: float
    """Seconds missing before it."""
    skip: int
    """Samples at its beginning that were heard before."""


class SoundPosition:
    """Counts samples, and notices when counting is no longer right. All times in seconds of media
    time, samples at 16 kHz."""

    def __init__(self) -> None:
        self.end: float | None = None
        """Media time after the last sample; ``None`` before the first."""
        self._announced: float | None = None
        self._late_since: float | None = None
        self._window_began: float | None = None
        self._window_samples = 0
        self._fast_windows = 0

    def announce(self, start: float) -> None:
        """A connection begins, whose first sample belongs at ``start``."""
        self._announced = start
        self._late_since = self._window_began = None
        self._window_samples = self._fast_windows = 0

    def place(self, samples: int, now: float) -> Placement:
        """Where a piece belongs that arrived at ``now``.

        Raises:
            WrongRateError: sound has been arriving much faster than 16 kHz for ten seconds.
        """
        self._check_rate(samples, now)
        gap = skip = 0.0
        if self.end is None:
            self.end = self._announced if self._announced is not None else now
        elif self._announced is not None:
            ahead = self._announced - self.end
            if ahead > OVERLAP:
                gap = ahead
            elif ahead < -OVERLAP:
                skip = -ahead
        elif self._has_been_late(now, samples):
            gap = now - samples / SAMPLE_RATE - self.end
        skipped = min(samples, round(skip * SAMPLE_RATE))
        # What a long overlap leaves is skipped in the pieces that follow.
        rest = skip - skipped / SAMPLE_RATE
        self._announced = self.end - rest if rest > OVERLAP else None
        self.end += gap + (samples - skipped) / SAMPLE_RATE
        return Placement(gap, skipped)

    def _has_been_late(self, now: float, samples: int) -> bool:
        assert self.end is not None  # noqa: S101
        if now - samples / SAMPLE_RATE - self.end <= LATE:
            self._late_since = None
            return False
        if self._late_since is None:
            self._late_since = now
        if now - self._late_since < LATE_FOR:
            return False
        self._late_since = None
        return True

    def _check_rate(self, samples: int, now: float) -> None:
        if self._window_began is None:
            self._window_began = now
        passed = now - self._window_began
        if passed >= RATE_WINDOW:
            rate = self._window_samples / SAMPLE_RATE / passed
            self._fast_windows = self._fast_windows + 1 if rate > MAX_RATE else 0
            self._window_began, self._window_samples = now, 0
            if self._fast_windows >= 2:
                raise WrongRateError(
                    f"sound arrives {rate:.1f} times as fast as 16 kHz, 16 bit, mono: "
                    "another sample rate, stereo, or 32 bit samples"
                )
        self._window_samples += samples
