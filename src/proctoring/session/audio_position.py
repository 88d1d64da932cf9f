"""Media time of audio samples."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.errors import WrongRateError

MAX_LAG = 2.0
"""Seconds that the counted position may lag behind arrival before audio counts as late."""
MAX_LATE_TIME = 5.0
"""Seconds of late audio after which the lag is taken as missing audio, as of a muted client. A
stalled network catches up sooner: what it delayed arrives in one burst."""
RATE_WINDOW = 5.0
"""Seconds over which the arrival rate of samples is measured."""
MAX_RATE = 1.5
"""Multiple of 16,000 samples per second above which, in two consecutive windows, audio is not
16 kHz, 16 bit, mono: 48 kHz arrives at 3, 44.1 kHz at 2.8, stereo and 32 bit at 2. The first window
may contain what a client buffered while it was disconnected."""
START_TOLERANCE = 0.02
"""Seconds by which a reconnected client's start may differ from the end of the audio before."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of a message's samples."""

    gap: float
    """Seconds missing before them."""
    skip: int
    """Samples at the beginning that were received before."""


class AudioPosition:
    """Counts samples and corrects the count for audio that is missing or sent twice. Times are
    seconds of media time, samples are at 16 kHz.

    Args:
        end: of audio received by another process, if this session was continued.
    """

    def __init__(self, end: float | None = None) -> None:
        self.end = end
        """Media time of the end of the last sample; ``None`` before the first."""
        self._announced: float | None = None
        self._late_since: float | None = None
        self._window_began: float | None = None
        self._window_samples = 0
        self._fast_windows = 0

    def announce(self, start: float) -> None:
        """A new connection, whose first sample is at ``start``; what is before zero is skipped."""
        self._announced = start
        self._late_since = self._window_began = None
        self._window_samples = self._fast_windows = 0

    def place(self, samples: int, now: float) -> Placement:
        """Place the samples of a message that arrived at ``now``.

        Raises:
            WrongRateError: audio has arrived much faster than at 16 kHz for two ``RATE_WINDOW``s.
        """
        self._check_rate(samples, now)
        gap = skip = 0.0
        if self.end is None:
            self.end = max(0.0, self._announced) if self._announced is not None else now
            skip = self.end - self._announced if self._announced is not None else 0.0
        elif self._announced is not None:
            ahead = self._announced - self.end
            if ahead > START_TOLERANCE:
                gap = ahead
            elif ahead < -START_TOLERANCE:
                skip = -ahead
        elif self._has_been_late(now, samples):
            gap = now - samples / SAMPLE_RATE - self.end
        skipped = min(samples, round(skip * SAMPLE_RATE))
        # The rest of a long overlap is skipped in the messages that follow.
        rest = skip - skipped / SAMPLE_RATE
        self._announced = self.end - rest if rest > START_TOLERANCE else None
        self.end += gap + (samples - skipped) / SAMPLE_RATE
        return Placement(gap, skipped)

    def _has_been_late(self, now: float, samples: int) -> bool:
        assert self.end is not None  # noqa: S101
        if now - samples / SAMPLE_RATE - self.end <= MAX_LAG:
            self._late_since = None
            return False
        if self._late_since is None:
            self._late_since = now
        if now - self._late_since < MAX_LATE_TIME:
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
                    f"audio arrives {rate:.1f} times as fast as 16 kHz, 16 bit, mono: "
                    "another sample rate, stereo, or 32 bit samples"
                )
        self._window_samples += samples
