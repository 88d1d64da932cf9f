"""Messages to the client of one audio socket: observations and errors."""

from __future__ import annotations

from proctoring.observations import AudioObservation
from proctoring.server.observation_json import audio_text
from proctoring.server.outbound import Outbound
from proctoring.session.load import Slowed


class AudioFeed(Outbound):
    """A session's audio source for one socket. ``segment_analysed`` is called on worker threads.

    Args:
        observe: whether to send observations.
    """

    def __init__(self, *, observe: bool) -> None:
        super().__init__("audio")
        self._observe = observe

    def flow(self, rate: float, slowed: Slowed) -> None:
        """No effect: audio is sent in full under any load."""

    def segment_analysed(self, observation: AudioObservation) -> None:
        """Send the observation of a segment."""
        if self._observe:
            self.call(self.observation, audio_text(observation))
