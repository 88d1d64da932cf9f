"""Whether the candidate's face is a living one: its movement in every frame, a score once a second."""

from __future__ import annotations

from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage

LIVENESS_PERIOD = 1.0
"""Seconds of media time between two scores."""
_FROZEN_SECONDS = 1.0
"""Seconds of the same picture from which the camera is frozen: nothing can move or blink in it."""


class FaceMotionStage(Stage):
    """Gives ``candidate.blinks`` and updates the tracker with the landmarks of frames that measure them.

    Args:
        tracker: shared with ``LivenessStage`` and ``ObjectStage``.
    """

    name = "face_motion"

    def __init__(self, tracker: LivenessTracker) -> None:
        self._tracker = tracker

    def run(self, context: Context) -> ObservationPart:
        """Follow movement and blinks."""
        if context.person_changed:
            self._tracker.reset()
        face, stream = context.candidate, context.latest.stream
        if face is None:
            return {}
        if stream is None or stream.unchanged_for < _FROZEN_SECONDS:
            if context.carried is None:
                self._tracker.update(context.frame.time, face.track, face.mesh)
            else:
                self._tracker.update_unchanged(context.frame.time)
        return {"candidate": {"blinks": self._tracker.blinks}}


class LivenessStage(Stage):
    """Gives ``liveness``.

    Args:
        tracker: updated with the same frame by ``FaceMotionStage``.
    """

    name = "liveness"
    period = LIVENESS_PERIOD
    scaled = True

    def __init__(self, tracker: LivenessTracker) -> None:
        self._tracker = tracker

    def needs_faces(self, time: float) -> bool:  # noqa: ARG002
        """Always: the networks score the face where it is."""
        return True

    def run(self, context: Context) -> ObservationPart:
        """Score the candidate's face."""
        face, frame = context.candidate, context.frame
        if face is None:
            return {}
        liveness, unread = self._tracker.score(frame.time, frame.pixels, face.track, face.mesh)
        return {"liveness": liveness, "not_read": () if unread is None else (unread,)}
