"""Readings about identity: the candidate's face against the reference."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.camera import why_unusable
from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading
from proctoring.judgement.unread import why_unread
from proctoring.observations import FrameObservation

MISMATCH = "face.mismatch"
CONFIDENCE_AT_LIMIT = 0.5
"""Confidence of a mismatch at the limit of the distance. Set by judgement, not measured."""
CONFIDENCE_PER_DISTANCE = 2.0
"""Added confidence per unit of distance beyond the limit: 1 is reached .25 beyond."""


def identity_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the candidate's face is not that of the reference."""
    limits, identity = policy.identity, observation.identity
    unusable = why_unusable(policy, observation)
    if identity is not None and unusable:
        yield Reading(MISMATCH, None, text=unusable)
        return
    if identity is None:
        if any(unread.what == "identity" for unread in observation.not_read):
            yield Reading(MISMATCH, None, text=why_unread(observation, "identity"))
        return
    differs = identity.distance >= limits.max_distance
    if differs and identity.comparisons < limits.min_comparisons:
        yield Reading(MISMATCH, None, text="too few looks at the face")
        return
    reference = "the reference photo" if identity.from_photo else "the session's first seconds"
    text = (
        f"the face differs from that of {reference} (distance {identity.distance:.2f}, "
        f"limit {limits.max_distance:.2f}, mean of {identity.comparisons} looks, "
        f"compared {identity.trigger})"
    )
    beyond = identity.distance - limits.max_distance
    confidence = min(1.0, CONFIDENCE_AT_LIMIT + CONFIDENCE_PER_DISTANCE * beyond)
    yield Reading(MISMATCH, differs, max(CONFIDENCE_AT_LIMIT, confidence), identity.distance, text)
