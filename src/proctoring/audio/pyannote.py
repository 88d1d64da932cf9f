"""The original pyannote pipeline, for recordings: an optional extra that brings torch.

The default detector runs the same two networks online. The pipeline adds clustering over the whole
recording, so it is more accurate and knows only afterwards. It needs
``pip install 'proctoring-ai[pyannote]'`` and either a Hugging Face token that was granted access to
``pyannote/speaker-diarization-community-1`` or a local copy of that repository.

What is tested: every refusal, and the way from turns to observations. What is not: the pipeline
itself, whose weights are behind a gate; that it is called as it wants to be was read in version 4.0.7.
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


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """Somebody speaks, in seconds of the recording."""

    start: float
    end: float
    speaker: str


def diarize(
    samples: Pcm, *, folder: Path | None = None, token: str | None = None
) -> tuple[SpeakerTurn, ...]:
    """Who speaks when in a whole recording.

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
    # Read as it is imported: without this it tells its makers of every file, unless its user said no.
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
    sound = {"waveform": torch.from_numpy(to_waveform(samples)[None]), "sample_rate": SAMPLE_RATE}
    found: Any = pipeline(sound).speaker_diarization
    return tuple(
        SpeakerTurn(float(turn.start), float(turn.end), str(speaker)) for turn, speaker in found
    )


def as_observations(
    turns: Sequence[SpeakerTurn], length: float, *, start: float = 0.0
) -> tuple[AudioObservation, ...]:
    """The same as the online detector would report, one observation a second.

    Who speaks first for a second in all is the candidate. Levels are not looked at.

    Args:
        turns: who speaks when, in seconds of the recording.
        length: the recording's length in seconds.
        start: media time of its beginning.
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
        heard = sorted({numbers[turn.speaker] for turn, share in shares.items() if share >= 0.2})
        voices = tuple(
            SpeakerActivity(
                number, None, 0.0 if number == 1 else 0.9, _spoken(turns, numbers, number, end)
            )
            for number in heard
        )
        talk = np.zeros(100, np.intp)
        for turn in shares:
            first, last = (turn.start - begin) * 100, (turn.end - begin) * 100
            talk[max(0, round(first)) : max(0, round(last))] += 1
        look = DiarizationResult(voices, 1.0, float((talk >= 2).mean()), 0.0)
        span = end - begin
        speech = min(1.0, float((talk >= 1).mean()) / span)
        observations.append(AudioObservation(start + end, span, speech, None, look))
    return tuple(observations)


def _numbered(turns: Sequence[SpeakerTurn]) -> dict[str, int]:
    """The candidate is 1: the first who has spoken for a second; the others in order of coming."""
    spoken: dict[str, float] = {}
    first = ""
    for turn in sorted(turns, key=lambda turn: turn.start):
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.end - turn.start
        if not first and spoken[turn.speaker] >= 1.0:
            first = turn.speaker
    order = sorted(spoken, key=lambda speaker: speaker != first)
    return {speaker: number for number, speaker in enumerate(order, 1)}


def _spoken(
    turns: Sequence[SpeakerTurn], numbers: dict[str, int], number: int, end: float
) -> float:
    """How long a voice spoke in the ten seconds before ``end``."""
    return sum(
        max(0.0, min(turn.end, end) - max(turn.start, end - 10.0))
        for turn in turns
        if numbers[turn.speaker] == number
    )
