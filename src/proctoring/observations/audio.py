"""Observations of audio and of what is said in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from proctoring.observations.not_read import NotRead


@dataclass(frozen=True, slots=True)
class SpeakerActivity:
    """A speaker who spoke since the last diarization result."""

    number: int
    """Number of the speaker within the session, from 1; never reused. 1 is the candidate."""
    similarity: float | None
    """Cosine similarity of the voice's embedding to the candidate's, -1 to 1; ``None`` for the
    candidate and while it is not known yet."""
    confidence: float
    """Confidence that this is not the candidate, 0 to 1; 0 for the candidate."""
    seconds: float
    """Seconds that the speaker spoke alone within the last ten seconds."""


@dataclass(frozen=True, slots=True)
class DiarizationResult:
    """Result of the diarization, about once a second while there is speech."""

    speakers: tuple[SpeakerActivity, ...]
    """The speakers since the last result."""
    enrolment: float
    """How much of the candidate's voice is known, 0 to 1. Below 1, a new speaker is only reported if
    two clearly different voices are heard within ten seconds."""
    overlap: float
    """Seconds since the last result in which two or more spoke at once."""
    unassigned: float
    """Seconds of speech since the last result that were too short or unclear to assign."""


@dataclass(frozen=True, slots=True)
class AudioObservation:
    """Everything found in one segment of audio. Holds no samples, words or embeddings."""

    time: float
    """Media time in seconds at the end of the segment."""
    duration: float
    """Duration of the segment in seconds."""
    speech: float | None
    """Share of the segment with speech, 0 to 1; ``None``: not analysed."""
    level: float | None
    """Root mean square level in decibels relative to full scale, -100 to 0; ``None``: no audio."""
    diarization: DiarizationResult | None
    not_read: tuple[NotRead, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """One transcribed word."""

    text: str = field(repr=False)
    """Must not be logged."""
    start: float
    """Media time in seconds."""
    end: float
    confidence: float | None = None
    """0 to 1; ``None`` if the transcriber gives none."""
    speaker: int | None = None
    """The transcriber's number of the speaker, from 0; ``None`` if it does not diarize."""


@dataclass(frozen=True, slots=True)
class TranscriptObservation:
    """A transcribed utterance. Only if transcription is enabled."""

    time: float
    """Media time in seconds at the end of the words."""
    start: float
    """Media time in seconds at their start."""
    text: str = field(repr=False)
    """With capitals and punctuation. Must not be logged."""
    words: tuple[Word, ...] = field(repr=False)
    final: bool
    """``False``: an interim result, replaced by the next one with the same start."""
    transcriber: str
    """``moonshine_tiny_en``, ``deepgram``."""
    times_estimated: bool
    """``True``: the transcriber gives no word times; they are spread evenly over the speech."""
    preceding: str = field(default="", repr=False)
    """The last words before these, if speech continued without a pause: transcribers split it."""
