"""The way back of one audio socket: what was heard, errors."""

from __future__ import annotations

from proctoring.observations import AudioObservation
from proctoring.server.observation_json import audio_text
from proctoring.server.outbound import Outbound


class AudioFeed(Outbound):
    """What goes out on one audio socket. ``segment_analysed`` is called from pool threads.

    Args:
        observe: whether the client wants observations.
    """

    def __init__(self, *, observe: bool) -> None:
        super().__init__("audio")
        self._observe = observe

    def flow(self, rate: float) -> None:
        """AudioChunk is always sent whole, however busy the machine is."""

    def segment_analysed(self, observation: AudioObservation) -> None:
        """A segment was analysed."""
        if self._observe:
            self.call(self.observation, audio_text(observation))
