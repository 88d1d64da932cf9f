"""From a transcriber's own seconds to media time."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctoring.audio.pcm import SAMPLE_RATE

_TOLERANCE = 0.001
"""Seconds by which two pieces may differ and still follow each other."""
_MOST_ANCHORS = 1000


@dataclass(slots=True)
class Timeline:
    """A remote transcriber counts seconds of the sound it was sent; sound may have been left out."""

    sent: int = 0
    """Samples sent so far."""
    _anchors: list[tuple[float, float]] = field(default_factory=list)

    def add(self, time: float, samples: int) -> None:
        """So many samples were sent, the first of them of media time ``time``."""
        sent = self.sent / SAMPLE_RATE
        if not self._anchors or abs(self.media_time(sent) - time) > _TOLERANCE:
            self._anchors = [*self._anchors[-_MOST_ANCHORS:], (sent, time)]
        self.sent += samples

    def media_time(self, seconds: float) -> float:
        """The media time of the transcriber's second."""
        if not self._anchors:
            return seconds
        before = [anchor for anchor in self._anchors if anchor[0] <= seconds + _TOLERANCE]
        sent, time = before[-1] if before else self._anchors[0]
        return time + seconds - sent
