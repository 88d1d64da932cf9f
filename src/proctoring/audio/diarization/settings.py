"""Tunables of online diarization."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiarizationSettings:
    """Tunables, each with its trade-off.

    Similarities are cosines of speaker embeddings, -1 to 1; durations are seconds of speech in which
    a speaker is the only one active, unless a field says otherwise. Where a field names no other
    source, its default was chosen on the development voices of ``evaluation/speakers.py``; the
    resulting figures are in ``docs/accuracy.md``.
    """

    # Embeddings

    min_embedding_seconds: float = 1.0
    """Speech that an embedding needs."""
    max_embedding_seconds: float = 3.0
    """Latest speech that the embedding of an unassigned local speaker uses. Raising it costs time and
    separates speakers better."""
    recheck_after_seconds: float = 3.0
    """New speech of an assigned local speaker after which it is embedded again. Raising it costs less
    and detects later that the segmentation merged two speakers."""
    recheck_seconds: float = 2.0
    """Latest speech that such an embedding uses. Raising it costs more."""
    retry_after_seconds: float = 0.4
    """New speech of an unassigned local speaker after which it is embedded again."""
    final_retry_after_seconds: float = 0.1
    """The same when its last embedding had less than ``short_seconds`` and there are as many now: its
    turn may be over, with no more speech to come."""
    active_within_seconds: float = 2.0
    """Only local speakers active within this last part of the window are embedded (media time)."""
    missed_speech_seconds: float = 0.4
    """Speech by voice activity since the last step from which a window is segmented again, its older
    half silenced, if the segmentation finds nobody lately. Lowering it costs more."""

    # Assigning a local speaker to a speaker of the session

    join_similarity: float = 0.45
    """From here on, speech is assigned to a known speaker. Raising it leaves more speech unassigned."""
    new_similarity: float = 0.30
    """Below this, ``max_embedding_seconds`` of speech are a new speaker. Raising it detects more
    intruders and raises more false alarms on candidates who move about."""
    new_similarity_short: float = 0.20
    """The same for ``short_seconds`` of speech, whose embeddings vary more; interpolated linearly."""
    new_similarity_interjection: float = 0.10
    """The same for ``interjection_seconds`` of speech; interpolated linearly. The lowest similarity of
    36 embeddings of 1.0 to 1.5 s to their own speaker, near and far in rooms, was .34
    (``docs/accuracy.md``)."""
    short_seconds: float = 1.5
    """Speech that the first speaker of a session needs, and each of two local speakers that are
    compared directly. Lowering it detects shorter interjections, less reliably."""
    interjection_seconds: float = 1.1
    """Speech that any other new speaker needs. Lowering it detects shorter interjections and mistakes
    laughs and coughs for one."""
    max_exemplars: int = 6
    """Single embeddings kept of each speaker beside the centroid: the same voice near and far."""
    exemplar_penalty: float = 0.05
    """Subtracted from the similarity to an exemplar, which is less reliable than the centroid."""

    # The candidate's first seconds

    enrolment_seconds: float = 6.0
    """Speech of the candidate that must be known before one embedding is enough for a new speaker."""
    enrolment_similarity: float = 0.25
    """From here on, speech is the candidate's until then: the first seconds alone give a poor
    embedding. Lowering it adapts more to the room, and to whoever else speaks at the start."""
    distinct_similarity: float = 0.10
    """Below this a new speaker is accepted before that, once ``distinct_seconds`` of the candidate are
    known."""
    distinct_seconds: float = 1.5
    """In that case the new speaker, or the candidate, needs ``max_embedding_seconds`` of speech."""
    reference_similarity: float = 0.30
    """From here on, speech is that of a candidate with a reference recording, until
    ``enrolment_seconds`` were heard here: another microphone and room change embeddings."""

    # Two local speakers of one window compared directly

    separate_similarity: float = 0.40
    """Below this, twice within ``confirm_within_seconds``, two local speakers are two speakers if one
    of them is unassigned."""
    split_similarity: float = 0.20
    """The same when both were assigned to one speaker."""
    young_seconds: float = 10.0
    """Up to so much speech heard here a speaker counts as young and is questioned more: the first
    seconds of a conversation may have been merged. Raising it detects more of these and splits more
    candidates who move about."""
    young_split_similarity: float = 0.32
    """``split_similarity`` of a young speaker. One person moving about, split by the segmentation,
    measured .36 and more; two women of one conversation .20 to .46 (all voices of
    ``evaluation/speakers.py``, none held out)."""
    long_seconds: float = 2.5
    """Speech of two local speakers assigned to one young speaker from which on longer embeddings are
    compared. Lowering it compares more often, less reliably."""
    long_max_seconds: float = 5.0
    """Latest speech that such embeddings use, and those that confirm a split."""
    long_period_seconds: float = 2.0
    """Media time between two such comparisons: one costs as much as five seconds of talk."""
    long_split_similarity: float = 0.38
    """Below this, twice within ``confirm_within_seconds``, they are two speakers. One person moving
    about measured .36 once in half an hour (all voices, none held out)."""
    confirm_within_seconds: float = 5.0
    """Media time within which two comparisons must agree."""

    # A speaker whose exemplars fall into two groups

    group_separation: float = 0.25
    """Below this similarity of their means, two cohesive groups of exemplars are two speakers. Raising
    it detects more merged speakers and splits more candidates who move about."""
    group_cohesion: float = 0.45
    """Least similarity of an exemplar to the mean of its group."""
