"""Two local speakers of one window that clearly differ, compared without any enrolment."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from proctoring.audio.diarization.clusters import Clusters, LongEmbedding
from proctoring.audio.diarization.state import LocalSpeaker
from proctoring.audio.diarization.window import Window
from proctoring.audio.segmentation import LOCAL_SPEAKERS


def compare_latest(clusters: Clusters, window: Window, separated_at: float) -> float:
    """Compare the latest embeddings of every two local speakers; separate two that clearly differ.

    Args:
        clusters: updated in place.
        window: the current one.
        separated_at: media time at which the last comparison found two that clearly differ.

    Returns:
        ``separated_at`` after this comparison.
    """
    settings = clusters.settings
    embedded = [
        (index, local, local.embedding)
        for index, local in enumerate(clusters.local_speakers)
        if local is not None
        and local.embedding is not None
        and local.embedding_seconds >= settings.short_seconds
        and window.seconds_alone(index) >= settings.short_seconds
    ]
    for (one, first, first_embedding), (other, second, second_embedding) in combinations(
        embedded, 2
    ):
        if window.time not in (first.embedded_until, second.embedded_until):
            continue  # neither embedding is new
        both_assigned = first.number is not None and second.number is not None
        if both_assigned and first.number != second.number:
            continue
        limit = settings.separate_similarity
        if both_assigned:
            young = _is_young(clusters, first)
            limit = settings.young_split_similarity if young else settings.split_similarity
        if float(first_embedding @ second_embedding) >= limit:
            continue
        if window.time - separated_at > settings.confirm_within_seconds:
            return window.time
        # Splitting the candidate's own voice is a false alarm that stays: all speech in the window
        # has to confirm it.
        pair = _longest(clusters, window, one, first), _longest(clusters, window, other, second)
        if float(pair[0].embedding @ pair[1].embedding) >= settings.long_split_similarity:
            continue
        clusters.separate(*pair)
        return window.time
    return separated_at


def compare_longest(
    clusters: Clusters, window: Window, compared_at: float, separated_at: float
) -> tuple[float, float]:
    """Compare two local speakers assigned to one young speaker by all their speech in the window.

    Args:
        clusters: updated in place.
        window: the current one.
        compared_at: media time of the last such comparison.
        separated_at: as for :func:`compare_latest`.

    Returns:
        ``compared_at`` and ``separated_at`` after this comparison.
    """
    settings = clusters.settings
    if window.time - compared_at < settings.long_period_seconds:
        return compared_at, separated_at
    for one, other in combinations(range(LOCAL_SPEAKERS), 2):
        first, second = clusters.local_speakers[one], clusters.local_speakers[other]
        if first is None or second is None or not _is_young(clusters, first):
            continue
        least = min(window.seconds_alone(one), window.seconds_alone(other))
        if first.number != second.number or least < settings.long_seconds:
            continue
        pair = _longest(clusters, window, one, first), _longest(clusters, window, other, second)
        if float(pair[0].embedding @ pair[1].embedding) >= settings.long_split_similarity:
            return window.time, separated_at
        if 0 < window.time - separated_at <= settings.confirm_within_seconds:
            clusters.separate(*pair)
        return window.time, window.time
    return compared_at, separated_at


def _longest(clusters: Clusters, window: Window, index: int, local: LocalSpeaker) -> LongEmbedding:
    most = clusters.settings.long_max_seconds
    embedding = window.embed(index, float("-inf"), most)
    seconds = min(window.seconds_alone(index), most)
    return LongEmbedding(index, replace(local, embedding_seconds=seconds), embedding)


def _is_young(clusters: Clusters, local: LocalSpeaker) -> bool:
    """Whether little speech of the assigned speaker was heard here so far."""
    speaker = clusters.assigned(local)
    return (
        speaker is not None
        and speaker.seconds - speaker.reference_seconds < clusters.settings.young_seconds
    )
