"""Which voice of the session a local speaker belongs to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from proctoring.audio.diarization.clusters import Clusters
from proctoring.audio.diarization.settings import SpeakerSettings
from proctoring.audio.diarization.state import LocalSpeaker
from proctoring.audio.diarization.voice import CANDIDATE
from proctoring.audio.diarization.window import Window
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.segmentation import FRAME_STEP


def assign(clusters: Clusters, window: Window, speaker: int) -> None:
    """Take the embedding of a local speaker if there is enough new speech, and place it."""
    local = clusters.local_speakers[speaker] or LocalSpeaker()
    settings = clusters.settings
    times = window.times_alone(speaker)
    own = float((times > local.since).sum() * FRAME_STEP)
    new = float((times > local.checked).sum() * FRAME_STEP)
    known = local.voice is not None
    enough = settings.check_after if known else 0.4
    if not known and local.embedding_seconds < settings.new_seconds <= own:
        enough = 0.1  # the speech is over, and its last embedding was too short to say much
    clusters.local_speakers[speaker] = local
    if own < settings.least_seconds or new < enough:
        return
    # A known voice is checked by what it said since; an unknown one by all there is.
    after = local.checked if known else local.since
    most = settings.check_seconds if known else settings.embedding_seconds
    embedding = window.embed_frames(speaker, after, most)
    used = min(new if known else own, most)
    local = replace(
        local, checked=window.time, since=after, embedding=embedding, embedding_seconds=used
    )
    clusters.local_speakers[speaker] = _placed(clusters, local, embedding, min(new, used))


def _placed(
    clusters: Clusters, local: LocalSpeaker, embedding: SpeakerEmbedding, new: float
) -> LocalSpeaker:
    """The local speaker with the voice that its embedding belongs to, if any.

    Args:
        new: seconds of the embedding's speech that no earlier embedding used.
    """
    settings, used = clusters.settings, local.embedding_seconds
    handicap = settings.example_handicap
    likeness = {v.number: v.likeness(embedding, handicap) for v in clusters.voices}
    if not likeness:
        if used < settings.new_seconds:
            return local
        return replace(local, voice=clusters.add(embedding, used))
    best = max(likeness, key=lambda number: likeness[number])
    candidate = clusters.voices[0]
    enrolled = candidate.given > 0 or candidate.seconds >= settings.enrolment
    if likeness[best] >= _joins(clusters, best):
        followed = clusters.voice_of(local)
        if followed is not None and followed.split == best:
            clusters.rejoin(followed, best)
        clusters.learn(best, embedding, new)
        return replace(local, voice=best)
    if likeness[best] >= _new_below(settings, used):
        return local
    clear = (
        likeness[best] < settings.clear
        and candidate.seconds >= settings.clear_seconds
        and max(candidate.seconds, used) >= settings.embedding_seconds
    )
    short = used < settings.interjection_seconds
    if not (enrolled or clear) or short or local.voice is not None:
        # One short embedding against a voice that the segmentation followed: the next embedding decides,
        # half a second later, longer, and of nothing said before the last that fitted.
        return replace(local, voice=None)
    return replace(local, voice=clusters.add(embedding, used))


def _new_below(settings: SpeakerSettings, seconds: float) -> float:
    """Cosine below which an embedding of so much speech is of a new voice."""
    lengths = (settings.interjection_seconds, settings.new_seconds, settings.embedding_seconds)
    limits = (settings.interjection, settings.new_short, settings.new)
    return float(np.interp(seconds, lengths, limits))


def _joins(clusters: Clusters, number: int) -> float:
    """Cosine from which speech belongs to this voice."""
    settings, candidate = clusters.settings, clusters.voices[0]
    unfamiliar = candidate.seconds - candidate.given < settings.enrolment
    if candidate.given:
        return settings.given if number == CANDIDATE and unfamiliar else settings.join
    return settings.enrol if len(clusters.voices) == 1 and unfamiliar else settings.join
