"""A recording's sound, heard and judged beside its pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proctoring.audio.analyser import AudioAnalyser, AudioModels
from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.audio.recording import SoundChunk, read_sound
from proctoring.audio.transcription.stream import TranscriptionStream
from proctoring.audio.voice_reference import VoiceReference
from proctoring.errors import ProctoringError
from proctoring.observations import SoundObservation, TranscriptObservation

Heard = SoundObservation | TranscriptObservation

_CONTIGUOUS = 0.001
"""Seconds by which two chunks may differ and still follow each other."""


@dataclass(slots=True)
class SoundSummary:
    """What was heard in all."""

    seconds: float = 0.0
    """Of sound, without gaps."""
    speech: float = 0.0
    """Seconds of speech."""
    voices: set[int] = field(default_factory=set)
    """Numbers of the voices that were heard; 1 is the candidate's."""
    transcript: list[TranscriptObservation] = field(default_factory=list)
    """Finished utterances."""
    problem: str = ""
    """Why the sound could not be read to its end; empty when it could."""

    def add(self, heard: Heard) -> None:
        """Take one observation into account."""
        if isinstance(heard, TranscriptObservation):
            if heard.final:
                self.transcript.append(heard)
        elif heard.level is not None:
            self.seconds += heard.span
            self.speech += heard.span * (heard.speech or 0.0)
        if isinstance(heard, SoundObservation) and heard.speakers is not None:
            self.voices |= {voice.number for voice in heard.speakers.voices}


class SoundTrack:
    """Gives what is heard up to a time, so that it can be judged in step with the pictures.

    Args:
        heard: observations in the order in which they are made.
    """

    def __init__(self, heard: Iterable[Heard] = ()) -> None:
        self.summary = SoundSummary()
        self._heard = iter(heard)
        self._next: Heard | None = None

    def up_to(self, time: float) -> Iterator[Heard]:
        """What is heard by media time ``time``, each once."""
        while True:
            if self._next is None:
                self._next = self._take()
            if self._next is None or self._next.time > time:
                return
            heard, self._next = self._next, None
            self.summary.add(heard)
            yield heard

    def _take(self) -> Heard | None:
        try:
            return next(self._heard, None)
        except ProctoringError as error:
            self.summary.problem = error.detail
            return None


def listen(
    path: Path,
    models: AudioModels,
    *,
    origin: float | None,
    transcribe: Callable[[float], TranscriptionStream] | None = None,
    voice: VoiceReference | None = None,
) -> Iterator[Heard]:
    """Hear a recording's sound, as a session would.

    Args:
        path: the recording.
        models: what can be heard with.
        origin: the file's own time from which media times count: that of its first picture;
            ``None``: that of its first sound. What lies before is left out.
        transcribe: opens a transcriber at a media time, where words are wanted.
        voice: the candidate's, where it was given.

    Raises:
        BadRecordingError: as ``read_sound``.
    """
    analyser: AudioAnalyser | None = None
    words: TranscriptionStream | None = None
    for chunk in _since(read_sound(path), origin):
        if analyser is None:
            analyser = AudioAnalyser(models, start=chunk.time)
            if voice is not None:
                analyser.know(voice.prints, voice.seconds)
            words = transcribe(chunk.time) if transcribe is not None else None
        missing = chunk.time - analyser.time
        if missing > _CONTIGUOUS:
            yield from analyser.gap(missing)
            yield from words.gap(missing) if words is not None else ()
        yield from analyser.push(chunk.samples)
        yield from words.push(chunk.samples) if words is not None else ()
    if analyser is not None:
        yield from analyser.flush()
        yield from words.close() if words is not None else ()


def _since(chunks: Iterable[SoundChunk], origin: float | None) -> Iterator[SoundChunk]:
    """Chunks with media times, without what lies before the origin."""
    for chunk in chunks:
        if origin is None:
            origin = chunk.time
        # Rounded as capture times on the wire are.
        time = round(chunk.time - origin, 6)
        before = max(0, round(-time * SAMPLE_RATE))
        samples = chunk.samples[before:]
        if len(samples):
            yield SoundChunk(max(time, 0.0), samples)
