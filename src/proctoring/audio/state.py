"""The part of a session's audio analysis that can be saved: plain numbers, no audio.

Nothing saves it yet: failover of a session to another server builds on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from proctoring.audio.diarization.speaker import CANDIDATE, Speaker

SavedSpeaker = tuple[int, tuple[float, ...], float, tuple[tuple[float, ...], ...]]
"""Number, centroid (256 numbers), seconds of speech in it, exemplars."""


@dataclass(frozen=True, slots=True)
class AudioState:
    """What to save so that another process can continue."""

    time: float
    """Media time up to which audio was analysed, in seconds."""
    speakers: tuple[SavedSpeaker, ...]
    reference_seconds: float = 0.0
    """Of the candidate's seconds, those from a reference recording."""


def save_state(time: float, speakers: Iterable[Speaker]) -> AudioState:
    """The state of a session at media time ``time``, in seconds."""
    speakers = tuple(speakers)
    return AudioState(
        time,
        tuple(
            (
                speaker.number,
                tuple(speaker.centroid.tolist()),
                speaker.seconds,
                tuple(tuple(exemplar.tolist()) for exemplar in speaker.exemplars),
            )
            for speaker in speakers
        ),
        sum(speaker.reference_seconds for speaker in speakers),
    )


def restore_speakers(state: AudioState) -> tuple[Speaker, ...]:
    """The speakers of a saved state."""
    return tuple(
        Speaker(
            number,
            np.asarray(centroid, np.float32),
            seconds,
            tuple(np.asarray(exemplar, np.float32) for exemplar in exemplars),
            state.reference_seconds if number == CANDIDATE else 0.0,
        )
        for number, centroid, seconds, exemplars in state.speakers
    )
