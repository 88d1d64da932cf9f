"""A voice of the session, and how its prints are compared and grouped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from proctoring.audio.embedding import VoicePrint, normalised

CANDIDATE = 1
"""Number of the candidate's voice."""


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A voice of this session."""

    number: int
    print: VoicePrint
    seconds: float
    """Speech that went into the print."""
    examples: tuple[VoicePrint, ...] = ()
    """Single prints of it, as unlike each other as they came."""
    given: float = 0.0
    """Of ``seconds``, those that were given before the session."""
    split: int | None = None
    """The voice that this one was taken for until just now. Unset by the first print that joins it."""

    def likeness(self, voice_print: VoicePrint, handicap: float) -> float:
        """Cosine to the mean print, or to the nearest example less ``handicap``."""
        nearest = max((float(e @ voice_print) for e in self.examples), default=-1.0)
        return max(float(self.print @ voice_print), nearest - handicap)


def mean_print(prints: tuple[VoicePrint, ...]) -> VoicePrint:
    """The normalised mean."""
    return normalised(np.sum(prints, axis=0, dtype=np.float32))


def varied(prints: tuple[VoicePrint, ...], most: int) -> tuple[VoicePrint, ...]:
    """At most so many prints: of the two most alike the older goes."""
    if len(prints) <= most:
        return prints
    matrix = np.stack(prints)
    alike = matrix @ matrix.T - 2 * np.eye(len(prints), dtype=np.float32)
    older = min(divmod(int(alike.argmax()), len(prints)))
    return prints[:older] + prints[older + 1 :]


def two_groups(
    prints: tuple[VoicePrint, ...], apart: float, alike: float
) -> tuple[tuple[VoicePrint, ...], tuple[VoicePrint, ...]] | None:
    """Prints in two groups, the older one first, if they are clearly two voices.

    Args:
        prints: in the order in which they were taken.
        apart: cosine of the groups' means below which they are two.
        alike: least cosine of a print to the mean of its group. Each has two prints or more.
    """
    if len(prints) < 4:
        return None
    matrix = np.stack(prints)
    one, other = divmod(int((matrix @ matrix.T).argmin()), len(prints))
    centres = (matrix[one], matrix[other])
    for _ in range(2):  # two rounds of 2-means, from the two least alike
        second = matrix @ centres[1] > matrix @ centres[0]
        if second.sum() < 2 or (~second).sum() < 2:
            return None
        centres = (mean_print(tuple(matrix[~second])), mean_print(tuple(matrix[second])))
    within = min((matrix[~second] @ centres[0]).min(), (matrix[second] @ centres[1]).min())
    if float(centres[0] @ centres[1]) >= apart or within < alike:
        return None
    groups = (
        tuple(p for p, is_second in zip(prints, second, strict=True) if not is_second),
        tuple(p for p, is_second in zip(prints, second, strict=True) if is_second),
    )
    return groups[::-1] if second[0] else groups


def confidence_of_another(similarity: float | None) -> float:
    """How sure one may be that a voice of this cosine to the candidate's is somebody else."""
    if similarity is None:
        return 0.5
    return float(1.0 / (1.0 + np.exp((similarity - 0.40) / 0.06)))
