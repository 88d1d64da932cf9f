"""Readings about identity: the candidate's face against the reference."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.judgement.camera import why_unusable
from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading, not_held
from proctoring.judgement.unread import unread_reason, why_unread
from proctoring.observations import FrameObservation, Identity

MISMATCH, UNVERIFIED = "face.mismatch", "face.unverified"
CONFIDENCE_AT_LIMIT = 0.5
"""Confidence of a mismatch at the limit of the distance. Set by judgement, not measured."""
CONFIDENCE_PER_DISTANCE = 2.0
"""Added confidence per unit of distance beyond the limit: 1 is reached .25 beyond."""
SURE_BEYOND = 1.5
"""Evidence beyond ``min_covered_evidence`` from which half a face shows that it is the right person."""
AMBIGUOUS_BELOW = 3.5
"""Evidence below ``min_covered_evidence`` down to which a face may be a covered one. Half of the hardest
exchanges of people of ``docs/accuracy.md`` were further below."""


def identity_readings(policy: Policy, observation: FrameObservation) -> Iterator[Reading]:
    """Whether the candidate's face is not that of the reference, or cannot be compared with it."""
    identity = observation.identity
    if identity is None and not unread_reason(observation, "identity"):
        return
    unusable = why_unusable(policy, observation)
    if unusable:
        yield from _unread(unusable, None)
    elif identity is None:
        yield from _unread(why_unread(observation, "identity"), True)
    elif identity.distance < policy.identity.max_distance:
        yield not_held(MISMATCH)
        yield not_held(UNVERIFIED)
    elif identity.comparisons < policy.identity.min_comparisons:
        yield from _unread("too few looks at the face", None)
    else:
        yield from _of_distant_face(policy, identity)


def _unread(why: str, unverified: bool | None) -> Iterator[Reading]:
    """A face that was not compared."""
    yield Reading(MISMATCH, None, text=why)
    yield Reading(UNVERIFIED, unverified, 1.0, 1.0, _unverified(why) if unverified else why)


def _unverified(why: str) -> str:
    return f"the candidate's face could not be compared with the reference: {why}"


def _of_distant_face(policy: Policy, identity: Identity) -> Iterator[Reading]:
    """A face that as a whole differs from the reference: another person's, or covered in part."""
    limits, half = policy.identity, identity.visible
    reference = "the reference photo" if identity.from_photo else "the session's first seconds"
    if half is not None and half.evidence >= limits.min_covered_evidence:
        alike = half.evidence >= limits.min_covered_evidence + SURE_BEYOND
        why = (
            f"a part of it is covered, and its {half.name} {'is' if alike else 'may be'} like that of "
            f"{reference} (distance {half.distance:.2f})"
        )
        yield from _unread(why, not alike)
        return
    ambiguous = half is not None and half.evidence >= limits.min_covered_evidence - AMBIGUOUS_BELOW
    if half is not None and ambiguous and half.looks < limits.min_ambiguous_comparisons:
        yield from _unread("whether a part of it is covered is not clear yet", True)
        return
    text = (
        f"the face differs from that of {reference} (distance {identity.distance:.2f}, "
        f"limit {limits.max_distance:.2f}, mean of {identity.comparisons} looks, "
        f"compared {identity.trigger})"
    )
    beyond = identity.distance - limits.max_distance
    confidence = min(1.0, CONFIDENCE_AT_LIMIT + CONFIDENCE_PER_DISTANCE * beyond)
    yield Reading(MISMATCH, True, max(CONFIDENCE_AT_LIMIT, confidence), identity.distance, text)
    yield Reading(UNVERIFIED, None, text="the face was compared, and differs")
