"""Readings about audio: other speakers, overlapping speech, speech, phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator

from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading, not_held
from proctoring.observations import AudioObservation, SpeakerActivity, TranscriptObservation

CANDIDATE_SPEAKER = 1
"""Number of the candidate's voice (see ``SpeakerActivity.number``)."""


def speaker_readings(policy: Policy, observation: AudioObservation) -> Iterator[Reading]:
    """Whether another speaker is heard, and whether speech overlaps."""
    look = observation.diarization
    if look is None:
        return
    others = [
        voice
        for voice in look.speakers
        if voice.number != CANDIDATE_SPEAKER
        and voice.confidence >= policy.audio.min_other_speaker_confidence
    ]
    if others:
        confidence = max(voice.confidence for voice in others)
        text = " and ".join(_describe(voice) for voice in others)
        yield Reading("audio.multiple_speakers", True, confidence, len(others), text)
    elif look.unassigned and look.enrolment < 1:
        unread = "the candidate's voice is not known yet"
        yield Reading("audio.multiple_speakers", None, text=unread)
    else:
        yield not_held("audio.multiple_speakers")
    held = look.overlap > 0 and look.overlap >= policy.audio.min_overlap
    text = f"two or more voices at once ({look.overlap:.1f} s of a look)"
    yield Reading("audio.overlap", held, 1.0, look.overlap, text)


def speech_readings(policy: Policy, observation: AudioObservation) -> Iterator[Reading]:
    """Whether anyone speaks."""
    if observation.speech is not None:
        held = observation.speech >= policy.audio.min_speech_share
        yield Reading("audio.speech", held, observation.speech, observation.speech, "speech")


def silence_readings(policy: Policy, observation: AudioObservation) -> Iterator[Reading]:
    """Whether the microphone gives digital silence."""
    if observation.level is None:
        yield Reading("audio.silent", None, text="no audio arrived")
        return
    held = observation.level <= policy.audio.max_silent_level
    text = "the microphone gave digital silence"
    yield Reading("audio.silent", held, 1.0, -observation.level, text)


def phrase_readings(policy: Policy, observation: TranscriptObservation) -> Iterator[Reading]:
    """Whether a phrase of the policy is spoken. The reason quotes the policy, not the candidate."""
    if not observation.final or not policy.audio.phrases:
        return
    found = next((p for p in policy.audio.phrases if _is_spoken(p, observation)), None)
    if found is None:
        yield not_held("audio.phrase")
    else:
        text = f"phrase {found!r} said at {_spoken_at(found, observation):.1f} s"
        yield Reading("audio.phrase", True, 1.0, 1.0, text)


def _describe(voice: SpeakerActivity) -> str:
    likeness = "" if voice.similarity is None else f" (likeness to it {voice.similarity:.2f})"
    return f"voice {voice.number} besides the candidate's{likeness}"


def _is_spoken(phrase: str, observation: TranscriptObservation) -> bool:
    """Whether the phrase ends in these words. It may have begun in the words carried over from the
    utterance before."""
    phrase = f" {_normalise(phrase)} "
    before = f" {_normalise(observation.preceding)} "
    said = f" {_normalise(observation.text)} "
    return phrase in said or (phrase in before.rstrip() + said and phrase not in before)


def _spoken_at(phrase: str, observation: TranscriptObservation) -> float:
    """Media time of the phrase's first word; the start of the utterance if words have no times."""
    wanted = _normalise(phrase).split()
    said = [
        (part, word.start) for word in observation.words for part in _normalise(word.text).split()
    ]
    for at in range(len(said) - len(wanted) + 1):
        if [part for part, _ in said[at : at + len(wanted)]] == wanted:
            return said[at][1]
    return observation.start


def _normalise(text: str) -> str:
    """Words only, in lower case, separated by single spaces."""
    return " ".join(re.findall(r"[\w']+", text.casefold()))
