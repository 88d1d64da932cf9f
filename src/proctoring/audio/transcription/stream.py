"""What every transcriber's stream can do."""

from __future__ import annotations

from typing import Protocol

from proctoring.audio.pcm import Pcm
from proctoring.observations import TranscriptObservation


class TranscriptionStream(Protocol):
    """One session's sound to words. Called from one thread at a time; never waits for a network."""

    @property
    def trouble(self) -> str:
        """Why no words come, in one sentence; empty while all is well."""

    @property
    def lost_seconds(self) -> float:
        """Sound whose words will never be known because it could not be kept."""

    def push(self, samples: Pcm) -> tuple[TranscriptObservation, ...]:
        """Take in sound that follows what came before; give what is known by now."""

    def gap(self, seconds: float) -> tuple[TranscriptObservation, ...]:
        """Sound of that length is missing here; media time goes on."""

    def flush(self) -> tuple[TranscriptObservation, ...]:
        """No more sound for now: give what was said so far."""

    def close(self) -> tuple[TranscriptObservation, ...]:
        """The session is over: give the rest that is known, and let go of everything."""

    def drain(self) -> tuple[TranscriptObservation, ...]:
        """After ``close``: wait for the last words, a few seconds at most."""
