"""Sections of a policy about sound: what counts, and whether speech becomes words."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from proctoring.judgement.policy.section import Score, Section

Phrase = Annotated[str, Field(min_length=2, max_length=100, pattern=r"\w")]


class Sound(Section):
    """What counts of what is heard."""

    other_voice: Score = 0.5
    """How sure it must be that a voice is not the candidate's. Raising it alarms less and misses
    voices that resemble the candidate's."""
    overlap: float = Field(default=0.3, ge=0, le=10, allow_inf_nan=False)
    """Seconds of two voices at once, within a look of about a second, that count as overlap."""
    speech: Score = 0.3
    """Share of half a second that must be speech to count as speaking."""
    phrases: tuple[Phrase, ...] = Field(default=(), max_length=200)
    """Phrases that raise ``audio.phrase`` when they are said ("hey siri"): case and punctuation do
    not matter. They need ``transcription``."""
    speakers: Literal["local", "deepgram"] = "local"
    """Who tells voices apart: our own networks, or Deepgram with its words. Ours stand in while
    Deepgram gives nothing."""


class Transcription(Section):
    """Whether speech becomes words, and who may read them."""

    engine: Literal["off", "moonshine", "deepgram"] = "off"
    """``moonshine`` runs here; ``deepgram`` sends the sound to Deepgram and needs a key."""
    tell: bool = False
    """``True``: listeners get the words. ``False``: only phrases that ``sound`` names are noticed."""
    interim: bool = False
    """``True``: listeners get unfinished words too, which may still change."""
