"""What an ``AudioSession`` keeps so that another process can continue it."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.audio.state import AudioState, Voices


@dataclass(frozen=True, slots=True, eq=False)
class SoundState:
    """All but voices: 2 to 3 kB."""

    start: float | None = None
    """Media time of the first sample; ``None`` before it."""
    analysis: AudioState | None = None
    """After the last observation that was judged; ``None`` before the first."""
    words_awaited_from: float | None = None
    """``RemoteSpeakers.transcribed_until``."""

    @property
    def until(self) -> float | None:
        """Media time up to which sound was analysed, and judged."""
        return self.start if self.analysis is None else self.analysis.time


@dataclass(frozen=True, slots=True, eq=False)
class SoundVoices:
    """The voices. Biometric data: 1 to 7 kB for each."""

    voices: Voices = field(default_factory=Voices)
    reference: SpeakerReference | None = None
    """The candidate's reference voice, while it is not among ``voices`` yet."""
