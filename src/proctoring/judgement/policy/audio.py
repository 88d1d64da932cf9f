"""Sections of a policy about audio: limits and transcription."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from proctoring.judgement.policy.section import Score, Section

Phrase = Annotated[str, Field(min_length=2, max_length=100, pattern=r"\w")]


class AudioLimits(Section):
    """What counts in the audio."""

    required: bool = False
    """``True``: a session with pictures and without a microphone is an incident (``audio.lost``).
    ``False``: only sound that stops is."""
    max_silent_level: float = Field(default=-95.0, ge=-100, le=-40, allow_inf_nan=False)
    """Level in decibels below full scale up to which half a second of audio is digital silence: -100
    is all zeros, -95 means that one sample in three differs from zero, by one. The quietest half
    second of a real room measured -83.5 (``docs/accuracy.md``). Raising it reports microphones with an
    analogue mute, and quiet rooms."""
    min_other_speaker_confidence: Score = 0.5
    """Confidence from which a voice counts as another speaker's. Raising it reports less and misses
    voices that resemble the candidate's."""
    min_overlap: float = Field(default=0.3, ge=0, le=10, allow_inf_nan=False)
    """Seconds of two simultaneous voices, within about one second of audio, from which speech
    overlaps."""
    min_speech_share: Score = 0.3
    """Share of half a second of audio that must be speech."""
    phrases: tuple[Phrase, ...] = Field(default=(), max_length=200)
    """Phrases that raise ``audio.phrase`` when spoken ("hey siri"). Case and punctuation are ignored.
    Requires ``transcription``."""
    diarization: Literal["local", "deepgram"] = "local"
    """What distinguishes speakers: local networks, or Deepgram together with its transcript. The
    local networks are used while Deepgram returns nothing."""


class TranscriptionSettings(Section):
    """Whether speech is transcribed, and who receives the transcript."""

    engine: Literal["off", "moonshine", "deepgram"] = "off"
    """``moonshine`` runs locally; ``deepgram`` sends audio to Deepgram and needs an API key."""
    publish: bool = False
    """``True``: listeners receive the transcript. ``False``: it is only searched for
    ``audio.phrases``."""
    interim: bool = False
    """``True``: listeners also receive interim results, which may still change."""
