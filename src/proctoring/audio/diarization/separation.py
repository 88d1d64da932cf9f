"""Two speakers of one window that sound clearly different, without any enrolment."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

from proctoring.audio.diarization.clusters import Clusters, LongEmbedding
from proctoring.audio.diarization.state import LocalSpeaker
from proctoring.audio.diarization.window import Window
from proctoring.audio.segmentation import LOCAL_SPEAKERS


def tell_apart(clusters: Clusters, window: Window, apart_at: float) -> float:
    """Compare the latest embeddings of every two speakers of this window.

    Args:
        apart_at: what the look before returned.

    Returns:
        Media time of the last look in which two were clearly apart.
    """
    settings = clusters.settings
    sure = [
        (speaker, local, local.embedding)
        for speaker, local in enumerate(clusters.local_speakers)
        if local is not None
        and local.embedding is not None
        and local.embedding_seconds >= settings.new_seconds
        and window.seconds_alone(speaker) >= settings.new_seconds
    ]
    for (one, first, first_embedding), (other, second, second_embedding) in combinations(sure, 2):
        if window.time not in (first.checked, second.checked):
            continue
        told = first.voice is not None and second.voice is not None
        if told and first.voice != second.voice:
            continue
        limit = settings.apart
        if told:
            limit = settings.young_split if _is_young(clusters, first) else settings.split
        if float(first_embedding @ second_embedding) >= limit:
            continue
        if window.time - apart_at > settings.apart_within:
            return window.time
        # A candidate's own voice in two is a false alarm that stays: all that was said decides.
        pair = _longest(clusters, window, one, first), _longest(clusters, window, other, second)
        if float(pair[0].embedding @ pair[1].embedding) >= settings.long_split:
            continue
        clusters.part(*pair)
        return window.time
    return apart_at


def compare_longer(
    clusters: Clusters, window: Window, compared_at: float, apart_at: float
) -> tuple[float, float]:
    """Look closer at two speakers of this window that were taken for one young voice.

    Args:
        compared_at: what the look before returned.
        apart_at: what :func:`tell_apart` returned.

    Returns:
        Media times of the last look that did, and of the last that found two clearly apart.
    """
    settings = clusters.settings
    if window.time - compared_at < settings.long_every:
        return compared_at, apart_at
    for one, other in combinations(range(LOCAL_SPEAKERS), 2):
        first, second = clusters.local_speakers[one], clusters.local_speakers[other]
        if first is None or second is None or not _is_young(clusters, first):
            continue
        least = min(window.seconds_alone(one), window.seconds_alone(other))
        if first.voice != second.voice or least < settings.long_seconds:
            continue
        pair = _longest(clusters, window, one, first), _longest(clusters, window, other, second)
        if float(pair[0].embedding @ pair[1].embedding) >= settings.long_split:
            return window.time, apart_at
        if 0 < window.time - apart_at <= settings.apart_within:
            clusters.part(*pair)
        return window.time, window.time
    return compared_at, apart_at


def _longest(
    clusters: Clusters, window: Window, speaker: int, local: LocalSpeaker
) -> LongEmbedding:
    """A speaker with the embedding of as much of their speech as the window holds."""
    most = clusters.settings.long_most
    embedding = window.embed_frames(speaker, float("-inf"), most)
    seconds = min(window.seconds_alone(speaker), most)
    return LongEmbedding(speaker, replace(local, embedding_seconds=seconds), embedding)


def _is_young(clusters: Clusters, local: LocalSpeaker) -> bool:
    """Whether the voice that a speaker was taken for has learned little here yet."""
    voice = clusters.voice_of(local)
    return voice is not None and voice.seconds - voice.given < clusters.settings.young
