"""What the diarizer carries from window to window."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from proctoring.audio.diarization.speaker import CANDIDATE, Speaker, mean_embedding
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.segmentation import FRAMES, LOCAL_SPEAKERS, Activity, frames_in

_MIN_OVERLAP = 0.5
"""Intersection over union of the active frames from which local speakers of two windows match."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalSpeaker:
    """A speaker of the segmentation, matched from window to window. Times are media time, seconds."""

    number: int | None = None
    """Of the session's speaker that it is assigned to."""
    embedded_until: float = float("-inf")
    """End of the speech that was embedded so far."""
    unassigned_since: float = float("-inf")
    """Begin of the speech that no longer fitted the assigned speaker. While the local speaker is
    unassigned, only speech from then on counts."""
    embedding: SpeakerEmbedding | None = None
    """The latest one."""
    embedding_seconds: float = 0.0
    """Speech in it."""


@dataclass(frozen=True, slots=True, eq=False)
class DiarizationState:
    """Everything the diarizer carries from step to step. Small plain data without audio.

    Times are media time, in seconds.
    """

    speakers: tuple[Speaker, ...] = ()
    separated_at: float = float("-inf")
    """Last step in which two local speakers clearly differed."""
    compared_at: float = float("-inf")
    """Last step that compared long embeddings."""
    time: float = float("-inf")
    """End of the last window."""
    activity: Activity = field(default_factory=lambda: np.zeros((FRAMES, LOCAL_SPEAKERS), np.bool_))
    """Of the last window."""
    local_speakers: tuple[LocalSpeaker | None, ...] = (None,) * LOCAL_SPEAKERS
    """Of the last window."""


def with_reference(
    state: DiarizationState,
    embeddings: tuple[SpeakerEmbedding, ...],
    seconds: float,
    join_similarity: float,
) -> DiarizationState:
    """The state once a reference of the candidate is set: that speaker is number 1 from then on.

    Local speakers are assigned anew in the next step, from all that its window holds.

    Args:
        state: the session's state.
        embeddings: of the reference.
        seconds: speech in them.
        join_similarity: cosine from which a speaker heard so far was the candidate.
    """
    candidate = Speaker(
        CANDIDATE, mean_embedding(embeddings), seconds, embeddings, reference_seconds=seconds
    )
    others = [s for s in state.speakers if float(s.centroid @ candidate.centroid) < join_similarity]
    free = 1 + max((speaker.number for speaker in state.speakers), default=CANDIDATE)
    others = [replace(s, number=free) if s.number == CANDIDATE else s for s in others]
    return replace(state, speakers=(candidate, *others), local_speakers=(None,) * LOCAL_SPEAKERS)


def match_local_speakers(
    state: DiarizationState, activity: Activity, time: float
) -> tuple[LocalSpeaker | None, ...]:
    """The local speakers of this window that were local speakers of the last one, by overlap.

    Args:
        state: holds the last window.
        activity: of this window.
        time: media time of its end, in seconds.
    """
    shift = frames_in(time - state.time) if state.time > float("-inf") else FRAMES
    if shift >= FRAMES:
        return (None,) * LOCAL_SPEAKERS
    before, now = state.activity[shift:], activity[: FRAMES - shift]
    intersection = (before[:, :, None] & now[:, None, :]).sum(axis=0)
    union = (before[:, :, None] | now[:, None, :]).sum(axis=0)
    overlap = intersection / np.maximum(union, 1)
    matched: list[LocalSpeaker | None] = [None] * LOCAL_SPEAKERS
    for _ in range(LOCAL_SPEAKERS):
        old, new = np.unravel_index(int(overlap.argmax()), overlap.shape)
        if overlap[old, new] < _MIN_OVERLAP:
            break
        matched[new] = state.local_speakers[old]
        overlap[old, :] = overlap[:, new] = -1
    return tuple(matched)
