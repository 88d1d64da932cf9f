"""The original pyannote pipeline, for recordings: an optional extra that brings torch.

The default diarizer runs the same two networks online. The pipeline clusters over the whole recording,
which is more accurate but needs all of it first. It needs
``pip install 'proctoring-ai[pyannote]'`` and either a Hugging Face token that was granted access to
``pyannote/speaker-diarization-community-1`` or a local copy of that repository.

Tested are every refusal and the conversion of turns to observations. The pipeline itself is not: its
weights are gated. Its interface was taken from the source of version 4.0.7.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from proctoring.audio.pcm import SAMPLE_RATE, Pcm, to_waveform
from proctoring.errors import DiarizationUnavailableError
from proctoring.observations import AudioObservation, DiarizationResult, SpeakerActivity

PIPELINE = "pyannote/speaker-diarization-community-1"
_CANDIDATE = 1
_MIN_SHARE = 0.2
"""Seconds of a turn within a second from which its speaker is reported in it."""
_MIN_CANDIDATE_SECONDS = 1.0
"""Total speech after which the first speaker is the candidate."""
_OTHER_CONFIDENCE = 0.9
"""Confidence that another speaker is not the candidate: the pipeline gives none. Chosen, not measured."""
_BINS = 100
"""Per second, for the shares of speech and overlap."""
_RECENT = 10.0
"""Seconds over which a speaker's speech is summed, as in the online diarizer's window."""


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """One speaker turn, in seconds of the recording."""

    start: float
    end: float
    speaker: str


def diarize(
    samples: Pcm, *, folder: Path | None = None, token: str | None = None
) -> tuple[SpeakerTurn, ...]:
    """The speaker turns of a whole recording.

    Args:
        samples: the recording at 16 kHz.
        folder: a local copy of the pipeline's repository.
        token: a Hugging Face token, where there is no local copy.

    Raises:
        DiarizationUnavailableError: not installed, neither folder nor token, or refused.
    """
    if folder is None and not token:
        raise DiarizationUnavailableError(
            f"pyannote needs HF_TOKEN (with access to {PIPELINE}) or a local directory of it"
        )
    if folder is not None and not folder.is_dir():
        raise DiarizationUnavailableError(f"{folder}: no such directory")
    # Read on import. By default pyannote reports usage to its authors.
    os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "false")
    try:
        import torch
        from pyannote.audio import Pipeline
    except ModuleNotFoundError as error:
        raise DiarizationUnavailableError(
            "pyannote.audio is not installed; this needs: pip install 'proctoring-ai[pyannote]'"
        ) from error
    try:
        pipeline = Pipeline.from_pretrained(str(folder or PIPELINE), token=token)
    except Exception as error:  # whatever the hub, torch and the file formats raise
        reason = type(error).__name__  # never its text: that may hold the token
        raise DiarizationUnavailableError(f"pyannote's pipeline cannot be had: {reason}") from error
    if pipeline is None:
        raise DiarizationUnavailableError(f"this token has no access to {PIPELINE}")
    audio = {"waveform": torch.from_numpy(to_waveform(samples)[None]), "sample_rate": SAMPLE_RATE}
    found: Any = pipeline(audio).speaker_diarization
    return tuple(
        SpeakerTurn(float(turn.start), float(turn.end), str(speaker)) for turn, speaker in found
    )


def as_observations(
    turns: Sequence[SpeakerTurn], length: float, *, start: float = 0.0
) -> tuple[AudioObservation, ...]:
    """The turns as the online diarizer would report them, one observation a second, without levels.

    The first speaker who has spoken for a second in total is the candidate.

    Args:
        turns: speaker turns, in seconds of the recording.
        length: of the recording, in seconds.
        start: media time of its beginning, in seconds.
    """
    numbers = _numbered(turns)
    observations = []
    for second in range(int(np.ceil(length))):
        begin, end = float(second), min(second + 1.0, length)
        shares = {
            turn: min(turn.end, end) - max(turn.start, begin)
            for turn in turns
            if turn.start < end and turn.end > begin
        }
        heard = sorted(
            {numbers[turn.speaker] for turn, share in shares.items() if share >= _MIN_SHARE}
        )
        speakers = tuple(
            SpeakerActivity(
                number,
                None,
                0.0 if number == _CANDIDATE else _OTHER_CONFIDENCE,
                _spoken(turns, numbers, number, end),
            )
            for number in heard
        )
        active = np.zeros(_BINS, np.intp)
        for turn in shares:
            first, last = (turn.start - begin) * _BINS, (turn.end - begin) * _BINS
            active[max(0, round(first)) : max(0, round(last))] += 1
        result = DiarizationResult(speakers, 1.0, float((active >= 2).mean()), 0.0)
        duration = end - begin
        speech = min(1.0, float((active >= 1).mean()) / duration)
        observations.append(AudioObservation(start + end, duration, speech, None, result))
    return tuple(observations)


def _numbered(turns: Sequence[SpeakerTurn]) -> dict[str, int]:
    """Speaker to number: 1 is the candidate, the others follow in order of their first turn."""
    spoken: dict[str, float] = {}
    first = ""
    for turn in sorted(turns, key=lambda turn: turn.start):
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.end - turn.start
        if not first and spoken[turn.speaker] >= _MIN_CANDIDATE_SECONDS:
            first = turn.speaker
    order = sorted(spoken, key=lambda speaker: speaker != first)
    return {speaker: number for number, speaker in enumerate(order, _CANDIDATE)}


def _spoken(
    turns: Sequence[SpeakerTurn], numbers: dict[str, int], number: int, end: float
) -> float:
    """Seconds that a speaker spoke in the last ``_RECENT`` seconds before ``end``."""
    return sum(
        max(0.0, min(turn.end, end) - max(turn.start, end - _RECENT))
        for turn in turns
        if numbers[turn.speaker] == number
    )
