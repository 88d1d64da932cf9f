"""A voice of the session, and how its embeddings are compared and grouped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from proctoring.audio.embedding import SpeakerEmbedding, normalised

CANDIDATE = 1
"""Number of the candidate's voice."""


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A voice of this session."""

    number: int
    embedding: SpeakerEmbedding
    seconds: float
    """Speech that went into the embedding."""
    examples: tuple[SpeakerEmbedding, ...] = ()
    """Single embeddings of it, as unlike each other as they came."""
    given: float = 0.0
    """Of ``seconds``, those that were given before the session."""
    split: int | None = None
    """The voice that this one was taken for until just now. Unset by the first print that joins it."""

    def likeness(self, embedding: SpeakerEmbedding, handicap: float) -> float:
        """Cosine to the mean embedding, or to the nearest example less ``handicap``."""
        nearest = max((float(e @ embedding) for e in self.examples), default=-1.0)
        return max(float(self.embedding @ embedding), nearest - handicap)


def mean_embedding(embeddings: tuple[SpeakerEmbedding, ...]) -> SpeakerEmbedding:
    """The normalised mean."""
    return normalised(np.sum(embeddings, axis=0, dtype=np.float32))


def varied(embeddings: tuple[SpeakerEmbedding, ...], most: int) -> tuple[SpeakerEmbedding, ...]:
    """At most so many embeddings: of the two most alike the older goes."""
    if len(embeddings) <= most:
        return embeddings
    matrix = np.stack(embeddings)
    alike = matrix @ matrix.T - 2 * np.eye(len(embeddings), dtype=np.float32)
    older = min(divmod(int(alike.argmax()), len(embeddings)))
    return embeddings[:older] + embeddings[older + 1 :]


def two_groups(
    embeddings: tuple[SpeakerEmbedding, ...], apart: float, alike: float
) -> tuple[tuple[SpeakerEmbedding, ...], tuple[SpeakerEmbedding, ...]] | None:
    """Embeddings in two groups, the older one first, if they are clearly two voices.

    Args:
        embeddings: in the order in which they were taken.
        apart: cosine of the groups' means below which they are two.
        alike: least cosine of an embedding to the mean of its group. Each has two embeddings or more.
    """
    if len(embeddings) < 4:
        return None
    matrix = np.stack(embeddings)
    one, other = divmod(int((matrix @ matrix.T).argmin()), len(embeddings))
    centres = (matrix[one], matrix[other])
    for _ in range(2):  # two rounds of 2-means, from the two least alike
        second = matrix @ centres[1] > matrix @ centres[0]
        if second.sum() < 2 or (~second).sum() < 2:
            return None
        centres = (mean_embedding(tuple(matrix[~second])), mean_embedding(tuple(matrix[second])))
    within = min((matrix[~second] @ centres[0]).min(), (matrix[second] @ centres[1]).min())
    if float(centres[0] @ centres[1]) >= apart or within < alike:
        return None
    groups = (
        tuple(p for p, is_second in zip(embeddings, second, strict=True) if not is_second),
        tuple(p for p, is_second in zip(embeddings, second, strict=True) if is_second),
    )
    return groups[::-1] if second[0] else groups


def confidence_of_another(similarity: float | None) -> float:
    """How sure one may be that a voice of this cosine to the candidate's is somebody else."""
    if similarity is None:
        return 0.5
    return float(1.0 / (1.0 + np.exp((similarity - 0.40) / 0.06)))
