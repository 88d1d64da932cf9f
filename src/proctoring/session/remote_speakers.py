"""Diarization by Deepgram, where the policy asks for it; the local one is the fallback."""

from __future__ import annotations

from dataclasses import replace

from proctoring.observations import (
    AudioObservation,
    DiarizationResult,
    Observation,
    SpeakerActivity,
    TranscriptObservation,
)

MAX_TRANSCRIPT_GAP = 15.0
"""Seconds without transcripts, while there is speech, after which local diarization is used."""
MIN_SPEECH = 1.0
"""Seconds of words for high confidence in another speaker: single short words are easily attributed
to the wrong one. Not measured: the service could not be reached when this was written."""
HIGH_CONFIDENCE, LOW_CONFIDENCE = 0.8, 0.4
"""Above and below the default of a policy's ``audio.min_other_speaker_confidence``, 0.5."""


class RemoteSpeakers:
    """Selects which diarization is judged. Deepgram numbers speakers per connection in order of
    appearance; the first is taken for the candidate."""

    def __init__(self) -> None:
        self.transcribed_until: float | None = None
        """Media time up to which transcripts have come, or are waited for."""
        self.trouble = ""
        """Why there are no transcripts; empty while transcription works."""

    def select(self, observation: Observation) -> tuple[Observation, ...]:
        """The observations to judge in place of one of any kind."""
        if isinstance(observation, TranscriptObservation):
            self.transcribed_until = observation.time
            speakers = speakers_in(observation) if observation.final else None
            return (observation,) if speakers is None else (observation, speakers)
        if isinstance(observation, AudioObservation) and observation.diarization is not None:
            if self.transcribed_until is None or not observation.diarization.speakers:
                self.transcribed_until = max(
                    self.transcribed_until or 0.0, observation.time - MAX_TRANSCRIPT_GAP / 2
                )
            if not self.trouble and observation.time - self.transcribed_until <= MAX_TRANSCRIPT_GAP:
                return (replace(observation, diarization=None),)
        return (observation,)


def speakers_in(transcript: TranscriptObservation) -> AudioObservation | None:
    """The speakers of a transcript; ``None`` if it names none."""
    durations: dict[int, float] = {}
    for word in transcript.words:
        if word.speaker is not None:
            durations[word.speaker] = durations.get(word.speaker, 0.0) + word.end - word.start
    if not durations:
        return None
    speakers = tuple(
        SpeakerActivity(
            number=speaker + 1,
            similarity=None,
            confidence=_confidence(speaker, seconds),
            seconds=seconds,
        )
        for speaker, seconds in sorted(durations.items())
    )
    result = DiarizationResult(speakers, enrolment=1.0, overlap=0.0, unassigned=0.0)
    span = transcript.time - transcript.start
    return AudioObservation(transcript.time, span, None, None, result)


def _confidence(speaker: int, seconds: float) -> float:
    """Confidence that a speaker is not the candidate."""
    if speaker == 0:
        return 0.0
    return HIGH_CONFIDENCE if seconds >= MIN_SPEECH else LOW_CONFIDENCE
