"""The interface of every transcription engine."""

from __future__ import annotations

from typing import Protocol

from proctoring.audio.pcm import Pcm
from proctoring.observations import TranscriptObservation


class TranscriptionStream(Protocol):
    """One session's audio to words. Called from one thread at a time; never blocks on a network,
    except in ``drain``."""

    @property
    def trouble(self) -> str:
        """Why no transcripts arrive, in one sentence; empty while all is well."""

    @property
    def lost_seconds(self) -> float:
        """Seconds of audio that were dropped before they could be transcribed."""

    def push(self, samples: Pcm) -> tuple[TranscriptObservation, ...]:
        """Transcribe audio that follows the audio before; returns the transcripts available so far."""

    def gap(self, seconds: float) -> tuple[TranscriptObservation, ...]:
        """Audio of this length, in seconds, is missing; media time goes on."""

    def flush(self) -> tuple[TranscriptObservation, ...]:
        """Transcribe all audio so far, even within an utterance."""

    def close(self) -> tuple[TranscriptObservation, ...]:
        """End the stream; returns the transcripts available so far."""

    def drain(self) -> tuple[TranscriptObservation, ...]:
        """After ``close``: wait for the last transcripts, a few seconds at most."""
