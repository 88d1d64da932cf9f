"""The audio of a recording: analysed, and handed out in step with the frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.audio.recording import AudioChunk, read_audio
from proctoring.audio.speaker_reference import SpeakerReference
from proctoring.audio.transcription.stream import TranscriptionStream
from proctoring.errors import ProctoringError
from proctoring.observations import AudioObservation, TranscriptObservation

TrackObservation = AudioObservation | TranscriptObservation
"""An observation of an audio track."""

_CONTIGUOUS = 0.001
"""Seconds between two chunks that do not count as a gap."""


@dataclass(frozen=True, slots=True)
class AudioSummary:
    """What the audio of a recording contains."""

    seconds: float = 0.0
    """Seconds of audio, without gaps."""
    speech_seconds: float = 0.0
    voices: frozenset[int] = frozenset()
    """Numbers of the voices that spoke; 1 is the candidate's."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One transcribed utterance. Times are seconds of media time."""

    start: float
    end: float
    text: str = field(repr=False)
    """Kept out of logs."""


class AudioTrack:
    """Audio observations, handed out up to a media time: to be judged in step with the frames.

    Args:
        observations: ordered by time.
    """

    def __init__(self, observations: Iterable[TrackObservation] = ()) -> None:
        self.summary = AudioSummary()
        """Of what was handed out so far."""
        self.problem = ""
        """Why the audio could not be read to its end; empty when it could."""
        self._transcript: list[Utterance] = []
        self._observations = iter(observations)
        self._next: TrackObservation | None = None

    @property
    def transcript(self) -> tuple[Utterance, ...]:
        """The finished utterances so far."""
        return tuple(self._transcript)

    def until(self, time: float) -> Iterator[TrackObservation]:
        """The observations up to media time ``time``, each of them once."""
        while True:
            if self._next is None:
                self._next = self._read()
            if self._next is None or self._next.time > time:
                return
            observation, self._next = self._next, None
            self._count(observation)
            yield observation

    def _read(self) -> TrackObservation | None:
        try:
            return next(self._observations, None)
        except ProctoringError as error:
            self.problem = error.detail
            return None

    def _count(self, observation: TrackObservation) -> None:
        if isinstance(observation, TranscriptObservation):
            if observation.final:
                self._transcript.append(
                    Utterance(observation.start, observation.time, observation.text)
                )
            return
        total = self.summary
        if observation.level is not None:
            total = replace(
                total,
                seconds=total.seconds + observation.duration,
                speech_seconds=total.speech_seconds
                + observation.duration * (observation.speech or 0.0),
            )
        if observation.diarization is not None:
            voices = {voice.number for voice in observation.diarization.speakers}
            total = replace(total, voices=total.voices | voices)
        self.summary = total


def analyse_audio(
    path: Path,
    models: AudioModels,
    *,
    origin: float | None,
    transcribe: Callable[[float], TranscriptionStream] | None = None,
    voice: SpeakerReference | None = None,
) -> Iterator[TrackObservation]:
    """Analyse the audio of a recording as a session would.

    Args:
        path: the recording.
        models: the loaded networks.
        origin: the file's own time stamp, in seconds, from which media times count: that of the
            first frame. ``None``: that of the first sample. Audio before it is left out.
        transcribe: opens a transcription at a media time; ``None``: no transcription.
        voice: the candidate's reference voice.

    Raises:
        BadRecordingError: as ``read_audio``.
    """
    analyser: AudioAnalyser | None = None
    words: TranscriptionStream | None = None
    for chunk in _since(read_audio(path), origin):
        if analyser is None:
            analyser = AudioAnalyser(models, start=chunk.time)
            if voice is not None:
                analyser.set_reference(voice.embeddings, voice.seconds)
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


def _since(chunks: Iterable[AudioChunk], origin: float | None) -> Iterator[AudioChunk]:
    """Chunks with media times; audio before the origin is cut off."""
    for chunk in chunks:
        if origin is None:
            origin = chunk.time
        # To the microsecond, as capture times on the wire.
        time = round(chunk.time - origin, 6)
        before = max(0, round(-time * SAMPLE_RATE))
        samples = chunk.samples[before:]
        if len(samples):
            yield AudioChunk(max(time, 0.0), samples)
