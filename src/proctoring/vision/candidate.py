"""Which of the followed faces is the candidate's.

The first to be seen (the largest, if several) is the candidate, and stays so while others come,
go, or sit nearer to the camera. When the candidate's face is lost the claim is held for a while:
a face that then appears where the candidate's was is the candidate again. Only after that does
another face become the candidate's; one that was there beside the candidate is somebody else, about
whom nothing has been learned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from proctoring.observations import Box
from proctoring.vision.face_tracking import TrackedFace

CLAIM_SECONDS = 3.0
"""How long a lost candidate's claim is held against the faces that remain."""
_MAX_SHIFT = 1.0
"""How far from its old place, in face sizes, a face that appears may be the candidate's."""
_MAX_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class CandidateClaim:
    """Who the candidate is; plain, so that it can be saved with the session."""

    track: int
    box: Box
    time: float
    """When the face was last seen."""
    companions: frozenset[int]
    """Tracks that were there beside the candidate: certainly other people."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The candidate in one frame."""

    face: TrackedFace | None
    claim: CandidateClaim | None
    somebody_else: bool
    """Another person has taken over: what was learned about the candidate no longer holds."""


def choose_candidate(
    claim: CandidateClaim | None, faces: tuple[TrackedFace, ...], time: float
) -> Choice:
    """The candidate's face among those followed, and the claim to hand in with the next frame."""
    if claim is None:
        if not faces:
            return Choice(None, None, somebody_else=False)
        return _take(_largest(faces), faces, time, None, somebody_else=False)
    for face in faces:
        if face.track == claim.track:
            return _take(face, faces, time, claim, somebody_else=False)
    newcomers = tuple(face for face in faces if face.track not in claim.companions)
    returned = [face for face in newcomers if _could_be(claim, face)]
    if returned:
        return _take(_largest(tuple(returned)), faces, time, claim, somebody_else=False)
    if not faces or time - claim.time < CLAIM_SECONDS:
        return Choice(None, claim, somebody_else=False)
    # A face that came while nobody else was there is more likely the candidate, moved.
    heir = _largest(newcomers or faces)
    return _take(heir, faces, time, None, somebody_else=heir.track in claim.companions)


def _take(
    face: TrackedFace,
    faces: tuple[TrackedFace, ...],
    time: float,
    claim: CandidateClaim | None,
    *,
    somebody_else: bool,
) -> Choice:
    # Only those seen together with the candidate; older companions have left for good, as track
    # numbers are never given twice.
    beside = frozenset(other.track for other in faces if other.track != face.track)
    if claim is not None and claim.track != face.track:
        beside |= claim.companions
    return Choice(face, CandidateClaim(face.track, face.box, time, beside), somebody_else)


def _largest(faces: tuple[TrackedFace, ...]) -> TrackedFace:
    return max(faces, key=lambda face: face.box.width * face.box.height)


def _could_be(claim: CandidateClaim, face: TrackedFace) -> bool:
    size = math.sqrt(max(1.0, claim.box.width * claim.box.height))
    other = math.sqrt(max(1.0, face.box.width * face.box.height))
    shift = math.hypot(
        (claim.box.left + claim.box.right - face.box.left - face.box.right) / 2,
        (claim.box.top + claim.box.bottom - face.box.top - face.box.bottom) / 2,
    )
    return shift <= _MAX_SHIFT * size and 1 / _MAX_GROWTH <= other / size <= _MAX_GROWTH
