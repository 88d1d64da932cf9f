"""Which of the followed faces is the candidate's.

The first to be seen (the largest, if several) is the candidate, and stays so while others come,
go, or sit nearer to the camera. When the candidate's face is lost the state is held for a while:
a face that then appears where the candidate's was is the candidate again. Only after that does
another face become the candidate's; one that was there beside the candidate is somebody else, about
whom nothing has been learned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from proctoring.observations import Box
from proctoring.vision.face_tracking import TrackedFace

HOLD_SECONDS = 3.0
"""How long a lost candidate's state is held against the faces that remain."""
_MAX_SHIFT = 1.0
"""How far from its old place, in face sizes, a face that appears may be the candidate's."""
_MAX_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class CandidateState:
    """Who the candidate is; plain, so that it can be saved with the session."""

    track: int
    box: Box
    time: float
    """When the face was last seen."""
    others: frozenset[int]
    """Tracks that were there beside the candidate: certainly other people."""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateAssignment:
    """The candidate in one frame."""

    face: TrackedFace | None
    state: CandidateState | None
    person_changed: bool
    """Another person has taken over: what was learned about the candidate no longer holds."""


def assign_candidate(
    state: CandidateState | None, faces: tuple[TrackedFace, ...], time: float
) -> CandidateAssignment:
    """The candidate's face among those followed, and the state to hand in with the next frame."""
    if state is None:
        if not faces:
            return CandidateAssignment(None, None, person_changed=False)
        return _take(_largest(faces), faces, time, None, person_changed=False)
    for face in faces:
        if face.track == state.track:
            return _take(face, faces, time, state, person_changed=False)
    newcomers = tuple(face for face in faces if face.track not in state.others)
    returned = [face for face in newcomers if _could_be(state, face)]
    if returned:
        return _take(_largest(tuple(returned)), faces, time, state, person_changed=False)
    if not faces or time - state.time < HOLD_SECONDS:
        return CandidateAssignment(None, state, person_changed=False)
    # A face that came while nobody else was there is more likely the candidate, moved.
    heir = _largest(newcomers or faces)
    return _take(heir, faces, time, None, person_changed=heir.track in state.others)


def _take(
    face: TrackedFace,
    faces: tuple[TrackedFace, ...],
    time: float,
    state: CandidateState | None,
    *,
    person_changed: bool,
) -> CandidateAssignment:
    # Only those seen together with the candidate; older others have left for good, as track
    # numbers are never given twice.
    beside = frozenset(other.track for other in faces if other.track != face.track)
    if state is not None and state.track != face.track:
        beside |= state.others
    return CandidateAssignment(
        face, CandidateState(face.track, face.box, time, beside), person_changed
    )


def _largest(faces: tuple[TrackedFace, ...]) -> TrackedFace:
    return max(faces, key=lambda face: face.box.width * face.box.height)


def _could_be(state: CandidateState, face: TrackedFace) -> bool:
    size = math.sqrt(max(1.0, state.box.width * state.box.height))
    other = math.sqrt(max(1.0, face.box.width * face.box.height))
    shift = math.hypot(
        (state.box.left + state.box.right - face.box.left - face.box.right) / 2,
        (state.box.top + state.box.bottom - face.box.top - face.box.bottom) / 2,
    )
    return shift <= _MAX_SHIFT * size and 1 / _MAX_GROWTH <= other / size <= _MAX_GROWTH
