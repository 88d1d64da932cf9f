"""What is kept of a session's audio analysis so that another process can continue it.

Left out: the last ten seconds of sound, with all that describes only them (which local speaker is whom, what the band
filters made of them), and samples that wait for their half second. ``docs/internals/audio.md`` says what that means.
"""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.audio.diarization.speaker import Speaker
from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.audio.voice_activity import VoiceActivityMemory


@dataclass(frozen=True, slots=True, eq=False)
class AudioState:
    """What changes with every half second: 2 to 3 kB, no voices, at most 32 ms of sound."""

    start: float
    """Media time of the first sample, in seconds."""
    analysed: int
    """Samples analysed since, gaps included."""
    memory: VoiceActivityMemory
    partial: Pcm
    """The last of those samples, fewer than a frame of voice activity, that its network has not had."""
    silent: bool
    """These and the following: as in ``AudioAnalyser``."""
    speech_possible: bool
    speech: float
    pause: int
    steady: bool
    steps_left: int
    separated_at: float
    """These and the following: as in ``DiarizationState``."""
    compared_at: float
    diarized_at: float

    @property
    def time(self) -> float:
        """Media time up to which sound was analysed, in seconds."""
        return self.start + self.analysed / SAMPLE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """The voices of a session. Biometric data: 7 kB for each."""

    speakers: tuple[Speaker, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AudioSnapshot:
    """Both, of the same moment. Immutable, so any thread may encode it."""

    state: AudioState
    voices: Voices
