"""A remote transcriber's seconds to media time."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctoring.audio.pcm import SAMPLE_RATE

_TOLERANCE = 0.001
"""Seconds by which two pieces may be apart and still count as contiguous."""
_MAX_ANCHORS = 1000
"""Gaps remembered; the oldest are dropped."""


@dataclass(slots=True)
class Timeline:
    """Maps seconds of the audio that was sent, from which parts may be missing, to media time."""

    sent: int = 0
    """Samples sent so far."""
    _anchors: list[tuple[float, float]] = field(default_factory=list)
    """(seconds sent, media time) at the begin of every contiguous part."""

    def add(self, time: float, samples: int) -> None:
        """So many samples were sent, the first of them at media time ``time``, in seconds."""
        sent = self.sent / SAMPLE_RATE
        if not self._anchors or abs(self.media_time(sent) - time) > _TOLERANCE:
            self._anchors = [*self._anchors[-_MAX_ANCHORS:], (sent, time)]
        self.sent += samples

    def media_time(self, seconds: float) -> float:
        """The media time, in seconds, of a time given by the transcriber."""
        if not self._anchors:
            return seconds
        before = [anchor for anchor in self._anchors if anchor[0] <= seconds + _TOLERANCE]
        sent, time = before[-1] if before else self._anchors[0]
        return time + seconds - sent
