"""What the detector carries from window to window."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from proctoring.audio.diarization.voice import CANDIDATE, Voice, mean_embedding
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.segmentation import FRAMES, LOCAL_SPEAKERS, Activity, frames_in


@dataclass(frozen=True, slots=True, eq=False)
class LocalSpeaker:
    """One speaker of the segmentation, matched from window to window."""

    voice: int | None = None
    checked: float = float("-inf")
    """Media time up to which its speech went into a speaker embedding."""
    since: float = float("-inf")
    """Media time from which it no longer sounded like the voice it was followed as. While it has no
    voice, only speech from then on counts."""
    embedding: SpeakerEmbedding | None = None
    """The last embedding."""
    embedding_seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerState:
    """Everything the detector carries from look to look. Plain and small; holds no sound."""

    voices: tuple[Voice, ...] = ()
    apart_at: float = float("-inf")
    """Media time of the last look in which two speakers were clearly apart."""
    compared_at: float = float("-inf")
    """Media time of the last look that compared longer embeddings."""
    time: float = float("-inf")
    """Media time of the end of the last look."""
    activity: Activity = field(default_factory=lambda: np.zeros((FRAMES, LOCAL_SPEAKERS), np.bool_))
    local_speakers: tuple[LocalSpeaker | None, ...] = (None,) * LOCAL_SPEAKERS


def with_candidate(
    state: SpeakerState, embeddings: tuple[SpeakerEmbedding, ...], seconds: float, join: float
) -> SpeakerState:
    """The state once the candidate's voice is given: from then on it is number 1.

    Args:
        state: where the session stands.
        embeddings: of the given voice.
        seconds: speech that went into them.
        join: cosine from which a voice heard so far was the candidate's.
    """
    given = Voice(CANDIDATE, mean_embedding(embeddings), seconds, embeddings, given=seconds)
    others = [v for v in state.voices if float(v.embedding @ given.embedding) < join]
    free = 1 + max((voice.number for voice in state.voices), default=CANDIDATE)
    others = [replace(v, number=free) if v.number == CANDIDATE else v for v in others]
    # Who is who is asked again at the next look, of all that its window holds.
    return replace(state, voices=(given, *others), local_speakers=(None,) * LOCAL_SPEAKERS)


def match_local_speakers(
    state: SpeakerState, activity: Activity, time: float
) -> tuple[LocalSpeaker | None, ...]:
    """Which speaker of this window is which of the window before, by the time they share."""
    shift = frames_in(time - state.time) if state.time > float("-inf") else FRAMES
    if shift >= FRAMES:
        return (None,) * LOCAL_SPEAKERS
    before, now = state.activity[shift:], activity[: FRAMES - shift]
    both = (before[:, :, None] & now[:, None, :]).sum(axis=0)
    either = (before[:, :, None] | now[:, None, :]).sum(axis=0)
    alike = both / np.maximum(either, 1)
    matched: list[LocalSpeaker | None] = [None] * LOCAL_SPEAKERS
    for _ in range(LOCAL_SPEAKERS):
        old, new = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[old, new] < 0.5:
            break
        matched[new] = state.local_speakers[old]
        alike[old, :] = alike[:, new] = -1
    return tuple(matched)
