"""Tunables of online diarization."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpeakerSettings:
    """Tunables, each with its trade-off.

    Similarities are cosines of speaker embeddings, -1 to 1. Unless a field says otherwise, defaults
    were chosen on the development voices of ``evaluation/speakers.py``; the resulting figures are
    in ``docs/accuracy.md``.
    """

    join: float = 0.45
    """Cosine from which speech belongs to a known voice. Raising it leaves more speech unplaced."""
    new: float = 0.30
    """Cosine below which ``embedding_seconds`` of speech are of a new voice. Raising it finds more
    intruders, and alarms more on candidates who move about."""
    new_short: float = 0.20
    """The same for ``new_seconds`` of speech, whose embeddings vary more; between the two in proportion."""
    new_seconds: float = 1.5
    """Speech, alone, from which ``new_short`` holds, that the first voice needs and each of two that are
    told apart within a window. Lowering it finds shorter interjections, less surely."""
    interjection: float = 0.10
    """``new`` for ``interjection_seconds`` of speech; up to ``new_seconds`` in proportion. The least
    cosine of 36 embeddings of 1.0 to 1.5 s to their own voice, near and far in rooms, was .34."""
    interjection_seconds: float = 1.1
    """Speech, alone, that a new voice needs at least. Lowering it finds shorter interjections, and takes
    a laugh or a cough for one."""
    least_seconds: float = 1.0
    """Speech, alone, that a speaker embedding needs."""
    embedding_seconds: float = 3.0
    """Speech that a speaker embedding uses at most, the latest. Raising it costs time and separates more."""
    check_after: float = 3.0
    """New speech of a known voice after which its embedding is taken again. Raising it costs less and
    notices later that the segmentation took two voices for one."""
    check_seconds: float = 2.0
    """Speech that such an embedding uses at most, the latest. Raising it costs more."""
    enrolment: float = 6.0
    """Speech of the candidate that must be known before a single new voice is believed."""
    clear: float = 0.10
    """Cosine below which a new voice is believed before that, once ``clear_seconds`` of the
    candidate are known."""
    clear_seconds: float = 1.5
    """Then the new voice must have spoken for ``embedding_seconds``, or the candidate for as long."""
    given: float = 0.30
    """Cosine from which speech is the candidate's whose voice was given beforehand, until
    ``enrolment`` seconds of it were heard here: another microphone and room make other embeddings."""
    enrol: float = 0.25
    """Cosine from which speech counts as the candidate's while less than that is known: the first
    seconds alone make a poor embedding. Lowering it takes more of the room into account, and more of
    whoever else speaks at the start."""
    apart: float = 0.40
    """Cosine below which two voices within one window are two, twice within ``apart_within``,
    when one of them is not placed yet."""
    split: float = 0.20
    """The same when both were taken for one voice."""
    young: float = 10.0
    """Speech that a voice may have learned from to be questioned more: a conversation's first seconds
    may have been taken for one. Raising it finds more of these and splits more candidates who move."""
    young_split: float = 0.32
    """``split`` of such a voice. One person whom the segmentation took for two, moving about, measured
    .36 and more; two women of one conversation .20 to .46."""
    long_seconds: float = 2.5
    """Speech, alone, of two speakers of one window that were taken for one young voice, from which on
    longer embeddings of them are compared. Lowering it looks more often, and less surely."""
    long_most: float = 5.0
    """Speech that such embeddings use at most, and those that decide whether two speakers are parted."""
    long_every: float = 2.0
    """Seconds between two such comparisons: one costs as much as five seconds of talk."""
    long_split: float = 0.38
    """Cosine below which, twice within ``apart_within``, they are two voices. One person moving
    about measured .36 once in half an hour."""
    examples: int = 6
    """Embeddings kept of each voice beside their mean: the same voice from near and far."""
    groups_apart: float = 0.25
    """Cosine below which two groups of a voice's examples, alike within, are two voices: the first
    seconds of a conversation may have been taken for one. Raising it finds more of these and
    splits more candidates who move about."""
    groups_alike: float = 0.45
    """Least cosine within such a group."""
    example_handicap: float = 0.05
    """What a likeness to one embedding counts less than one to the mean of many."""
    apart_within: float = 5.0
    heard_within: float = 2.0
    """Only speakers heard this lately are looked at."""
    unheard: float = 0.4
    """Seconds of speech by voice activity since the last look from which a window in which the
    segmentation hears nobody lately is looked at again, the older half silent. Lowering it costs more."""
