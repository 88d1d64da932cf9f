"""The session's speakers while one window is processed: added, updated, split and merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from proctoring.audio.diarization.settings import DiarizationSettings
from proctoring.audio.diarization.speaker import (
    CANDIDATE,
    Speaker,
    mean_embedding,
    most_diverse,
    two_groups,
)
from proctoring.audio.diarization.state import LocalSpeaker
from proctoring.audio.embedding import SpeakerEmbedding, normalised


@dataclass(frozen=True, slots=True, eq=False)
class LongEmbedding:
    """A local speaker with an embedding of as much of its speech as the window holds."""

    index: int
    """Of the local speaker, 0 to 2."""
    local: LocalSpeaker
    """Its ``embedding_seconds`` are those of ``embedding``, below."""
    embedding: SpeakerEmbedding


class Clusters:
    """Speakers of the session, and the local speakers assigned to them. Mutable, for one window."""

    def __init__(
        self,
        settings: DiarizationSettings,
        speakers: Iterable[Speaker],
        local_speakers: Iterable[LocalSpeaker | None],
    ) -> None:
        self.settings = settings
        self.speakers = list(speakers)
        self.local_speakers = list(local_speakers)

    @property
    def candidate(self) -> Speaker | None:
        """The candidate, once known."""
        return next((s for s in self.speakers if s.number == CANDIDATE), None)

    def assigned(self, local: LocalSpeaker) -> Speaker | None:
        """The speaker that a local speaker is assigned to."""
        return next((s for s in self.speakers if s.number == local.number), None)

    def add(
        self, embedding: SpeakerEmbedding, seconds: float, split_from: int | None = None
    ) -> int:
        """Add a speaker. Returns its number."""
        number = self._next_number()
        self.speakers.append(
            Speaker(number, embedding, seconds, (embedding,), split_from=split_from)
        )
        return number

    def update(self, number: int, embedding: SpeakerEmbedding, seconds: float) -> None:
        """Add an embedding to a speaker, weighted by its seconds of speech."""
        for index, speaker in enumerate(self.speakers):
            if speaker.number == number:
                total = speaker.centroid * np.float32(speaker.seconds)
                total = total + embedding * np.float32(seconds)
                exemplars = (*speaker.exemplars, embedding)
                self.speakers[index] = replace(
                    speaker,
                    centroid=normalised(total),
                    seconds=speaker.seconds + seconds,
                    exemplars=most_diverse(exemplars, self.settings.max_exemplars),
                    split_from=None,
                )
                self._split_by_exemplars(index)

    def separate(self, one: LongEmbedding, other: LongEmbedding) -> None:
        """Give two local speakers a speaker each, where they had none or shared one."""
        shared = one.local.number if one.local.number == other.local.number else None
        if shared is not None:
            # The speaker was learned from both. It restarts from the one that is more similar.
            index = next(i for i, s in enumerate(self.speakers) if s.number == shared)
            learned = self.speakers[index].centroid
            if float(learned @ other.embedding) > float(learned @ one.embedding):
                one, other = other, one
            self.speakers[index] = replace(
                self.speakers[index],
                centroid=one.embedding,
                seconds=one.local.embedding_seconds,
                exemplars=(one.embedding,),
                reference_seconds=min(
                    self.speakers[index].reference_seconds, one.local.embedding_seconds
                ),
            )
            other = replace(other, local=replace(other.local, number=None))
        for long in (one, other):
            if long.local.number is None:
                number = self.add(long.embedding, long.local.embedding_seconds, shared)
                self.local_speakers[long.index] = replace(long.local, number=number)

    def merge_back(self, part: Speaker, number: int) -> None:
        """Undo a split: ``part`` becomes part of the speaker ``number`` again."""
        index = next(i for i, s in enumerate(self.speakers) if s.number == number)
        whole = self.speakers[index]
        exemplars = whole.exemplars
        for exemplar in part.exemplars:
            exemplars = most_diverse((*exemplars, exemplar), self.settings.max_exemplars)
        total = whole.centroid * np.float32(whole.seconds)
        total = total + part.centroid * np.float32(part.seconds)
        self.speakers[index] = replace(
            whole,
            centroid=normalised(total),
            seconds=whole.seconds + part.seconds,
            exemplars=exemplars,
        )
        self.speakers.remove(part)
        for local_index, local in enumerate(self.local_speakers):
            if local is not None and local.number == part.number:
                self.local_speakers[local_index] = replace(local, number=number)

    def _next_number(self) -> int:
        return 1 + max((speaker.number for speaker in self.speakers), default=0)

    def _split_by_exemplars(self, index: int) -> None:
        """Split a speaker whose exemplars fall into two groups: it was learned from two people."""
        speaker, settings = self.speakers[index], self.settings
        groups = two_groups(speaker.exemplars, settings.group_separation, settings.group_cohesion)
        if groups is None:
            return
        share = speaker.seconds / len(speaker.exemplars)
        kept, other = (
            Speaker(number, mean_embedding(group), share * len(group), group)
            for number, group in zip((speaker.number, self._next_number()), groups, strict=True)
        )
        self.speakers[index] = replace(
            kept, reference_seconds=min(speaker.reference_seconds, kept.seconds)
        )
        self.speakers.append(other)
        for local_index, local in enumerate(self.local_speakers):
            if local is None or local.number != speaker.number or local.embedding is None:
                continue
            nearer = float(other.centroid @ local.embedding) > float(
                kept.centroid @ local.embedding
            )
            self.local_speakers[local_index] = replace(
                local, number=(other if nearer else kept).number
            )
