"""Notices about transcription, published to listeners beside incidents."""

from __future__ import annotations

from proctoring.observations import TranscriptObservation
from proctoring.records.entries import Notice


def transcript_notice(transcript: TranscriptObservation, *, kept: bool = False) -> Notice:
    """A transcript. Only for policies that publish transcripts; ``kept``: stored in the records too."""
    return Notice(
        "transcript",
        {
            "text": transcript.text,
            "start": round(transcript.start, 3),
            "end": round(transcript.time, 3),
            "final": transcript.final,
            "transcriber": transcript.transcriber,
            "times_estimated": transcript.times_estimated,
            "words": [
                {
                    "text": word.text,
                    "start": round(word.start, 3),
                    "end": round(word.end, 3),
                    "confidence": None if word.confidence is None else round(word.confidence, 3),
                    "speaker": word.speaker,
                }
                for word in transcript.words
            ],
        },
        kept,
    )


def transcription_notice(engine: str, trouble: str) -> Notice:
    """Whether transcription is available. Contains no words."""
    return Notice("transcription", {"engine": engine, "available": not trouble, "reason": trouble})
