"""Assigning a local speaker to a speaker of the session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from proctoring.audio.diarization.clusters import Clusters
from proctoring.audio.diarization.settings import DiarizationSettings
from proctoring.audio.diarization.speaker import CANDIDATE
from proctoring.audio.diarization.state import LocalSpeaker
from proctoring.audio.diarization.window import Window
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.segmentation import FRAME_STEP


def assign(clusters: Clusters, window: Window, index: int) -> None:
    """Embed a local speaker if there is enough new speech of it, and assign it.

    Args:
        clusters: updated in place.
        window: the current one.
        index: of the local speaker, 0 to 2.
    """
    local = clusters.local_speakers[index] or LocalSpeaker()
    clusters.local_speakers[index] = local
    settings = clusters.settings
    times = window.times_alone(index)
    own = float((times > local.unassigned_since).sum() * FRAME_STEP)
    new = float((times > local.embedded_until).sum() * FRAME_STEP)
    known = local.number is not None
    if own < settings.min_embedding_seconds or new < _due_after(settings, local, own):
        return
    # An assigned local speaker is checked by its new speech, an unassigned one by all its speech.
    after = local.embedded_until if known else local.unassigned_since
    most = settings.recheck_seconds if known else settings.max_embedding_seconds
    embedding = window.embed(index, after, most)
    used = min(new if known else own, most)
    local = replace(
        local,
        embedded_until=window.time,
        unassigned_since=after,
        embedding=embedding,
        embedding_seconds=used,
    )
    clusters.local_speakers[index] = _assigned(clusters, local, embedding, min(new, used))


def _due_after(settings: DiarizationSettings, local: LocalSpeaker, own: float) -> float:
    """Seconds of new speech after which a local speaker is embedded again.

    Args:
        own: seconds of speech in the window that count for it.
    """
    if local.number is not None:
        return settings.recheck_after_seconds
    if local.embedding_seconds < settings.short_seconds <= own:
        return settings.final_retry_after_seconds
    return settings.retry_after_seconds


def _assigned(
    clusters: Clusters, local: LocalSpeaker, embedding: SpeakerEmbedding, new: float
) -> LocalSpeaker:
    """The local speaker with the number of the speaker that its embedding belongs to, if any.

    Args:
        new: seconds of the embedding's speech that no earlier embedding used.
    """
    settings, used = clusters.settings, local.embedding_seconds
    similarity = {
        s.number: s.similarity(embedding, settings.exemplar_penalty) for s in clusters.speakers
    }
    if not similarity:
        if used < settings.short_seconds:
            return local
        return replace(local, number=clusters.add(embedding, used))
    best = max(similarity, key=lambda number: similarity[number])
    if similarity[best] >= _join_similarity(clusters, best):
        before = clusters.assigned(local)
        if before is not None and before.split_from == best:
            clusters.merge_back(before, best)
        clusters.update(best, embedding, new)
        return replace(local, number=best)
    if similarity[best] >= _new_similarity(settings, used):
        return local
    if not _may_be_new(clusters, local, similarity[best]):
        # Of an assigned local speaker one short embedding is not enough: the next one decides, half
        # a second later, longer, from speech since the last embedding that fitted.
        return replace(local, number=None)
    return replace(local, number=clusters.add(embedding, used))


def _may_be_new(clusters: Clusters, local: LocalSpeaker, best: float) -> bool:
    """Whether an embedding that fits no known speaker is enough for a new one.

    Args:
        best: its similarity to the most similar speaker.
    """
    settings, used, candidate = clusters.settings, local.embedding_seconds, clusters.speakers[0]
    enrolled = candidate.reference_seconds > 0 or candidate.seconds >= settings.enrolment_seconds
    distinct = (
        best < settings.distinct_similarity
        and candidate.seconds >= settings.distinct_seconds
        and max(candidate.seconds, used) >= settings.max_embedding_seconds
    )
    long_enough = used >= settings.interjection_seconds
    return (enrolled or distinct) and long_enough and local.number is None


def _new_similarity(settings: DiarizationSettings, seconds: float) -> float:
    """Cosine below which an embedding of so much speech is of a new speaker."""
    lengths = (
        settings.interjection_seconds,
        settings.short_seconds,
        settings.max_embedding_seconds,
    )
    limits = (
        settings.new_similarity_interjection,
        settings.new_similarity_short,
        settings.new_similarity,
    )
    return float(np.interp(seconds, lengths, limits))


def _join_similarity(clusters: Clusters, number: int) -> float:
    """Cosine from which speech is assigned to this speaker."""
    settings, candidate = clusters.settings, clusters.speakers[0]
    enrolling = candidate.seconds - candidate.reference_seconds < settings.enrolment_seconds
    if enrolling and candidate.reference_seconds:
        if number == CANDIDATE:
            return settings.reference_similarity
    elif enrolling and len(clusters.speakers) == 1:
        return settings.enrolment_similarity
    return settings.join_similarity
