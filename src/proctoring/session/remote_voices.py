"""Voices told apart by Deepgram, where a policy chooses that; our own networks stand in for it."""

from __future__ import annotations

from dataclasses import replace

from proctoring.observations import (
    AudioObservation,
    DiarizationResult,
    Observation,
    SpeakerActivity,
    TranscriptObservation,
)

PATIENCE = 15.0
"""Seconds without words, while voices are heard, after which our own networks stand in."""
SURE_AFTER = 1.0
"""Seconds of words after which a speaker is believed to be another: single short words go to the
wrong speaker easily. Not measured: the real service could not be reached when this was built."""
SURE, UNSURE = 0.8, 0.4
"""Confidence above and below that; a policy's ``audio.min_other_speaker_confidence`` is 0.5 unless it says otherwise."""


class RemoteVoices:
    """Chooses whose voices are judged. Deepgram numbers speakers per connection, in the order in
    which it hears them: the first is taken for the candidate."""

    def __init__(self) -> None:
        self._words_until: float | None = None

    def choose(self, observation: Observation, trouble: str) -> tuple[Observation, ...]:
        """What of an observation is to be judged.

        Args:
            observation: of any kind.
            trouble: why no words come; empty while all is well.
        """
        if isinstance(observation, TranscriptObservation):
            self._words_until = observation.time
            look = speakers_in(observation) if observation.final else None
            return (observation,) if look is None else (observation, look)
        if isinstance(observation, AudioObservation) and observation.diarization is not None:
            if self._words_until is None or not observation.diarization.speakers:
                self._words_until = max(self._words_until or 0.0, observation.time - PATIENCE / 2)
            if not trouble and observation.time - self._words_until <= PATIENCE:
                return (replace(observation, diarization=None),)
        return (observation,)


def speakers_in(transcript: TranscriptObservation) -> AudioObservation | None:
    """Who spoke these words; ``None`` where the transcriber did not tell."""
    spoken: dict[int, float] = {}
    for word in transcript.words:
        if word.speaker is not None:
            spoken[word.speaker] = spoken.get(word.speaker, 0.0) + word.end - word.start
    if not spoken:
        return None
    voices = tuple(
        SpeakerActivity(
            number=speaker + 1,
            similarity=None,
            confidence=0.0 if speaker == 0 else SURE if seconds >= SURE_AFTER else UNSURE,
            seconds=seconds,
        )
        for speaker, seconds in sorted(spoken.items())
    )
    look = DiarizationResult(voices, enrolment=1.0, overlap=0.0, unassigned=0.0)
    span = transcript.time - transcript.start
    return AudioObservation(transcript.time, span, None, None, look)
