"""Deepgram's ``Results`` message to an observation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proctoring.observations import TranscriptObservation, Word

NAME = "deepgram"


def read_results(
    message: Any, media_time: Callable[[float], float]
) -> TranscriptObservation | None:
    """One ``Results`` message as an observation; ``None`` when it contains no words.

    Args:
        message: as the SDK parsed it.
        media_time: converts Deepgram's seconds of audio to media time.
    """
    alternatives = message.channel.alternatives
    if not alternatives or not alternatives[0].transcript:
        return None
    best = alternatives[0]
    words = tuple(
        Word(
            text=word.punctuated_word or word.word,
            start=media_time(word.start),
            end=media_time(word.end),
            confidence=word.confidence,
            speaker=None if getattr(word, "speaker", None) is None else int(word.speaker),
        )
        for word in best.words or ()
    )
    start = words[0].start if words else media_time(message.start)
    end = words[-1].end if words else media_time(message.start + message.duration)
    return TranscriptObservation(
        time=end,
        start=start,
        text=best.transcript,
        words=words,
        final=bool(message.is_final),
        transcriber=NAME,
        times_estimated=False,
    )
