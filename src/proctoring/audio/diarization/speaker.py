"""A speaker of the session, and how speaker embeddings are compared and grouped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from proctoring.audio.embedding import SpeakerEmbedding, normalised

CANDIDATE = 1
"""Number of the candidate among the session's speakers."""

_MIN_GROUP = 2
"""Embeddings that each of two groups needs."""
_ROUNDS = 2
"""Rounds of 2-means."""

_CONFIDENCE_MIDPOINT = 0.40
"""Similarity to the candidate at which another speaker is as likely as not."""
_CONFIDENCE_SCALE = 0.06
"""Similarity per unit of the logistic function. With the midpoint: a confidence of .30 at .45, where
speech joins the candidate, and of .84 at .30, where long speech is a new speaker. Not calibrated."""
_CONFIDENCE_UNKNOWN = 0.5
"""Confidence while the candidate's voice is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Speaker:
    """A speaker of this session."""

    number: int
    """From 1; never reused in a session."""
    centroid: SpeakerEmbedding
    """Mean of the speaker's embeddings, weighted by seconds, normalised."""
    seconds: float
    """Speech in the centroid."""
    exemplars: tuple[SpeakerEmbedding, ...] = ()
    """Single embeddings, oldest first, as different from each other as they came."""
    reference_seconds: float = 0.0
    """Of ``seconds``, those from a reference recording made before the session."""
    split_from: int | None = None
    """Number of the speaker that this one was split from. Unset by the next embedding assigned to it."""

    def similarity(self, embedding: SpeakerEmbedding, exemplar_penalty: float) -> float:
        """Cosine to the centroid, or to the nearest exemplar less ``exemplar_penalty``."""
        nearest = max((float(e @ embedding) for e in self.exemplars), default=-1.0)
        return max(float(self.centroid @ embedding), nearest - exemplar_penalty)


def mean_embedding(embeddings: tuple[SpeakerEmbedding, ...]) -> SpeakerEmbedding:
    """The normalised mean."""
    return normalised(np.sum(embeddings, axis=0, dtype=np.float32))


def most_diverse(
    embeddings: tuple[SpeakerEmbedding, ...], most: int
) -> tuple[SpeakerEmbedding, ...]:
    """At most ``most`` of ``most + 1`` embeddings: the older of the two most similar is dropped."""
    if len(embeddings) <= most:
        return embeddings
    matrix = np.stack(embeddings)
    # The diagonal, each embedding with itself, must never be the maximum.
    similarity = matrix @ matrix.T - 2 * np.eye(len(embeddings), dtype=np.float32)
    older = min(divmod(int(similarity.argmax()), len(embeddings)))
    return embeddings[:older] + embeddings[older + 1 :]


def two_groups(
    embeddings: tuple[SpeakerEmbedding, ...], separation: float, cohesion: float
) -> tuple[tuple[SpeakerEmbedding, ...], tuple[SpeakerEmbedding, ...]] | None:
    """Embeddings in two groups, the older one first, if they clearly are of two speakers.

    Args:
        embeddings: oldest first.
        separation: cosine of the groups' means below which they are two.
        cohesion: least cosine of an embedding to the mean of its group.
    """
    if len(embeddings) < 2 * _MIN_GROUP:
        return None
    matrix = np.stack(embeddings)
    one, other = divmod(int((matrix @ matrix.T).argmin()), len(embeddings))
    centres = (matrix[one], matrix[other])
    for _ in range(_ROUNDS):  # 2-means, from the two least similar
        second = matrix @ centres[1] > matrix @ centres[0]
        if second.sum() < _MIN_GROUP or (~second).sum() < _MIN_GROUP:
            return None
        centres = (mean_embedding(tuple(matrix[~second])), mean_embedding(tuple(matrix[second])))
    within = min((matrix[~second] @ centres[0]).min(), (matrix[second] @ centres[1]).min())
    if float(centres[0] @ centres[1]) >= separation or within < cohesion:
        return None
    groups = (
        tuple(e for e, is_second in zip(embeddings, second, strict=True) if not is_second),
        tuple(e for e, is_second in zip(embeddings, second, strict=True) if is_second),
    )
    return groups[::-1] if second[0] else groups


def other_speaker_confidence(similarity: float | None) -> float:
    """Confidence, 0 to 1, that a speaker is not the candidate.

    Args:
        similarity: cosine to the candidate's centroid; ``None`` while that is not known.
    """
    if similarity is None:
        return _CONFIDENCE_UNKNOWN
    return float(1.0 / (1.0 + np.exp((similarity - _CONFIDENCE_MIDPOINT) / _CONFIDENCE_SCALE)))
