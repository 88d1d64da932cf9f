"""Whose voices are judged: Deepgram's while it gives words, our own otherwise."""

from __future__ import annotations

import pytest

from proctoring.observations import (
    AudioObservation,
    DiarizationResult,
    Observation,
    SpeakerActivity,
    TranscriptObservation,
    Word,
)
from proctoring.session.remote_speakers import MAX_TRANSCRIPT_GAP, RemoteSpeakers, speakers_in


def look(time: float, *numbers: int) -> AudioObservation:
    voices = tuple(SpeakerActivity(n, None, 0.0 if n == 1 else 0.9, 2.0) for n in numbers)
    return AudioObservation(time, 0.5, 1.0, -20.0, DiarizationResult(voices, 1.0, 0.0, 0.0))


def words(time: float, *speakers: int | None, final: bool = True) -> TranscriptObservation:
    said = tuple(Word("word", time - 0.6, time, None, speaker) for speaker in speakers)
    return TranscriptObservation(time, time - 1, "word", said, final, "deepgram", False)


def judged(found: tuple[Observation, ...]) -> list[tuple[int, float]]:
    """Numbers and confidences of the voices that are judged."""
    return [
        (voice.number, voice.confidence)
        for one in found
        if isinstance(one, AudioObservation) and one.diarization is not None
        for voice in one.diarization.speakers
    ]


def test_while_words_come_their_speakers_are_judged_and_ours_are_not() -> None:
    speakers = RemoteSpeakers()
    assert judged(speakers.select(look(1.0, 1, 2))) == []
    assert judged(speakers.select(words(2.0, 0, 1, 1))) == [(1, 0.0), (2, 0.8)]
    assert judged(speakers.select(look(3.0, 2))) == []


def test_one_short_word_is_no_sure_sign_of_another() -> None:
    assert judged(RemoteSpeakers().select(words(2.0, 0, 1))) == [(1, 0.0), (2, 0.4)]


def test_unfinished_words_and_words_without_speakers_say_nothing() -> None:
    assert judged(RemoteSpeakers().select(words(2.0, 1, 1, final=False))) == []
    assert speakers_in(words(2.0, None)) is None


@pytest.mark.parametrize("trouble", ["Deepgram refuses the key (status 401)"])
def test_in_trouble_ours_stand_in_at_once(trouble: str) -> None:
    speakers = RemoteSpeakers()
    speakers.select(words(1.0, 0))
    speakers.trouble = trouble
    assert judged(speakers.select(look(2.0, 1, 2))) == [(1, 0.0), (2, 0.9)]


def test_where_voices_are_heard_and_no_words_come_ours_stand_in_after_a_while() -> None:
    speakers = RemoteSpeakers()
    speakers.select(words(1.0, 0))
    times = [1.0 + n for n in range(30)]
    first = next(time for time in times if judged(speakers.select(look(time, 2))))
    assert first == pytest.approx(1.0 + MAX_TRANSCRIPT_GAP, abs=1.1)


def test_silence_is_no_sign_of_trouble() -> None:
    speakers = RemoteSpeakers()
    speakers.select(words(1.0, 0))
    for second in range(2, 100):
        speakers.select(look(float(second)))
    assert judged(speakers.select(look(100.0, 2))) == []
