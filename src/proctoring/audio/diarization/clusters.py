"""The session's voices while one window is processed: added, updated, split and merged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from proctoring.audio.diarization.settings import SpeakerSettings
from proctoring.audio.diarization.state import LocalSpeaker
from proctoring.audio.diarization.voice import CANDIDATE, Voice, mean_embedding, two_groups, varied
from proctoring.audio.embedding import SpeakerEmbedding, normalised


@dataclass(frozen=True, slots=True, eq=False)
class LongEmbedding:
    """A local speaker with the embedding of as much of their speech as the window holds."""

    speaker: int
    local: LocalSpeaker
    """``embedding_seconds`` is the speech in ``embedding``, below."""
    embedding: SpeakerEmbedding


class Clusters:
    """Voices of the session and the local speakers that belong to them. Mutable, for one window."""

    def __init__(
        self,
        settings: SpeakerSettings,
        voices: Iterable[Voice],
        local_speakers: Iterable[LocalSpeaker | None],
    ) -> None:
        self.settings = settings
        self.voices = list(voices)
        self.local_speakers = list(local_speakers)

    @property
    def candidate(self) -> Voice | None:
        """The candidate's voice, once it is known."""
        return next((v for v in self.voices if v.number == CANDIDATE), None)

    def voice_of(self, local: LocalSpeaker) -> Voice | None:
        """The voice that a local speaker belongs to."""
        return next((v for v in self.voices if v.number == local.voice), None)

    def add(self, embedding: SpeakerEmbedding, seconds: float, split: int | None = None) -> int:
        """A new voice. Returns its number."""
        number = self._next_number()
        self.voices.append(Voice(number, embedding, seconds, (embedding,), split=split))
        return number

    def learn(self, number: int, embedding: SpeakerEmbedding, seconds: float) -> None:
        """Add an embedding to a voice, weighted by its seconds of speech."""
        for index, voice in enumerate(self.voices):
            if voice.number == number:
                total = voice.embedding * np.float32(voice.seconds) + embedding * np.float32(
                    seconds
                )
                examples = varied((*voice.examples, embedding), self.settings.examples)
                self.voices[index] = replace(
                    voice,
                    embedding=normalised(total),
                    seconds=voice.seconds + seconds,
                    examples=examples,
                    split=None,
                )
                self._regroup(index)

    def part(self, one: LongEmbedding, other: LongEmbedding) -> None:
        """Give two local speakers a voice each, where they had none or shared one."""
        split = one.local.voice if one.local.voice == other.local.voice else None
        if split is not None:
            # The voice had learned from both. It stays with the one it is more like, anew.
            index = next(i for i, v in enumerate(self.voices) if v.number == split)
            learned = self.voices[index].embedding
            if float(learned @ other.embedding) > float(learned @ one.embedding):
                one, other = other, one
            self.voices[index] = replace(
                self.voices[index],
                embedding=one.embedding,
                seconds=one.local.embedding_seconds,
                examples=(one.embedding,),
                given=min(self.voices[index].given, one.local.embedding_seconds),
            )
            other = replace(other, local=replace(other.local, voice=None))
        for long in (one, other):
            if long.local.voice is None:
                number = self.add(long.embedding, long.local.embedding_seconds, split)
                self.local_speakers[long.speaker] = replace(long.local, voice=number)

    def rejoin(self, part: Voice, number: int) -> None:
        """Take a split back: whom the segmentation followed on from it sounds like the voice it left."""
        index = next(i for i, v in enumerate(self.voices) if v.number == number)
        whole = self.voices[index]
        examples = whole.examples
        for example in part.examples:
            examples = varied((*examples, example), self.settings.examples)
        both = whole.embedding * np.float32(whole.seconds) + part.embedding * np.float32(
            part.seconds
        )
        seconds = whole.seconds + part.seconds
        self.voices[index] = replace(
            whole, embedding=normalised(both), seconds=seconds, examples=examples
        )
        self.voices.remove(part)
        for speaker, local in enumerate(self.local_speakers):
            if local is not None and local.voice == part.number:
                self.local_speakers[speaker] = replace(local, voice=number)

    def _next_number(self) -> int:
        return 1 + max((voice.number for voice in self.voices), default=0)

    def _regroup(self, index: int) -> None:
        """Split a voice that turns out to have learned from two."""
        voice, settings = self.voices[index], self.settings
        groups = two_groups(voice.examples, settings.groups_apart, settings.groups_alike)
        if groups is None:
            return
        share = voice.seconds / len(voice.examples)
        kept, other = (
            Voice(number, mean_embedding(embeddings), share * len(embeddings), embeddings)
            for number, embeddings in zip((voice.number, self._next_number()), groups, strict=True)
        )
        self.voices[index] = replace(kept, given=min(voice.given, kept.seconds))
        self.voices.append(other)
        for speaker, local in enumerate(self.local_speakers):
            if local is not None and local.voice == voice.number and local.embedding is not None:
                nearer = float(other.embedding @ local.embedding) > float(
                    kept.embedding @ local.embedding
                )
                self.local_speakers[speaker] = replace(
                    local, voice=(other if nearer else kept).number
                )
