"""Assigns one of the tracked faces to the candidate.

The first face to be seen (the largest, if there are several) is the candidate's, and remains so while
others come, go, or sit nearer to the camera. When the candidate's face is lost, the assignment is held
for ``HOLD_SECONDS``: a new face near the old place is then the candidate's again. After that another
face is assigned. One that was in view together with the candidate belongs to another person, for whom
nothing has been learned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from proctoring.observations import Box
from proctoring.vision.face_tracking import TrackedFace

HOLD_SECONDS = 3.0
"""How long a lost face remains the candidate's before another one is assigned."""
_MAX_SHIFT = 1.0
"""Largest distance between the lost face and a new one of the candidate's, in face sizes."""
_MAX_GROWTH = 2.0
"""Largest ratio of their sizes, either way."""


@dataclass(frozen=True, slots=True)
class CandidateState:
    """What is known of the candidate's face; plain, so that it can be saved with the session."""

    track: int
    box: Box
    """Where the face was seen last."""
    time: float
    """When it was seen last."""
    others: frozenset[int]
    """Tracks that were in view together with it: certainly other people."""


@dataclass(frozen=True, slots=True, eq=False)
class CandidateAssignment:
    """The candidate in one frame."""

    face: TrackedFace | None
    """``None``: not in this frame."""
    state: CandidateState | None
    """To be passed in with the next frame; ``None``: no face was seen yet."""
    person_changed: bool
    """Whether another person is now the candidate: what was learned no longer holds."""


def assign_candidate(
    state: CandidateState | None, faces: tuple[TrackedFace, ...], time: float
) -> CandidateAssignment:
    """Assign the candidate's face in one frame, given the state after the previous frame."""
    if state is None:
        if not faces:
            return CandidateAssignment(None, None, person_changed=False)
        return _assign(_largest(faces), faces, time, None, person_changed=False)
    for face in faces:
        if face.track == state.track:
            return _assign(face, faces, time, state, person_changed=False)
    new = tuple(face for face in faces if face.track not in state.others)
    returned = tuple(face for face in new if _is_near(state, face))
    if returned:
        return _assign(_largest(returned), faces, time, state, person_changed=False)
    if not faces or time - state.time < HOLD_SECONDS:
        return CandidateAssignment(None, state, person_changed=False)
    # A face that was never in view with the candidate is most likely the candidate, moved.
    successor = _largest(new or faces)
    changed = successor.track in state.others
    return _assign(successor, faces, time, None, person_changed=changed)


def _assign(
    face: TrackedFace,
    faces: tuple[TrackedFace, ...],
    time: float,
    state: CandidateState | None,
    *,
    person_changed: bool,
) -> CandidateAssignment:
    others = frozenset(other.track for other in faces if other.track != face.track)
    # While the track lasts, those who left are forgotten: track numbers are never reused.
    if state is not None and state.track != face.track:
        others |= state.others
    return CandidateAssignment(
        face, CandidateState(face.track, face.box, time, others), person_changed
    )


def _largest(faces: tuple[TrackedFace, ...]) -> TrackedFace:
    return max(faces, key=lambda face: face.box.width * face.box.height)


def _is_near(state: CandidateState, face: TrackedFace) -> bool:
    """Whether a face is near the candidate's last place and of similar size."""
    size = math.sqrt(max(1.0, state.box.width * state.box.height))
    other = math.sqrt(max(1.0, face.box.width * face.box.height))
    shift = math.hypot(
        (state.box.left + state.box.right - face.box.left - face.box.right) / 2,
        (state.box.top + state.box.bottom - face.box.top - face.box.bottom) / 2,
    )
    return shift <= _MAX_SHIFT * size and 1 / _MAX_GROWTH <= other / size <= _MAX_GROWTH
