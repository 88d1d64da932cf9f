"""Whether the candidate's face is a living one: its movement in every frame, a score once a second."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.observations import Box
from proctoring.vision.face_swap import face_difference
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Luma
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage

LIVENESS_PERIOD = 1.0
"""Seconds of media time between two reports, and two scores of a face that changes."""
UNCHANGED_PERIOD = 2.0
"""Seconds of media time between two scores of a face that has not changed since the last one."""
UNCHANGED = 0.2
"""Difference up to which a face has not changed (``face_swap``): a person sways by more than noise. Another
person's face, laid over the candidate's, differs by 0.63 and more."""
_EARLY = 0.05
"""Seconds by which a frame may be early, since frames jitter."""
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


@dataclass(frozen=True, slots=True, eq=False)
class ScoredFace:
    """The frame that was scored last."""

    time: float
    track: int
    luma: Luma
    face: Box


class LivenessStage(Stage):
    """Gives ``liveness`` once a second, and at once where the face is swapped.

    The networks score a face anew every second, or every other second while it looks as it did when it was
    scored last, nothing is pending and the last scores leave no doubt; the mean of the last scores then stands.

    Args:
        tracker: updated with the same frame by ``FaceMotionStage``.
        scored: of a continued session; ``None``: the face is scored anew.
        unchanged_period: of a continued session.
    """

    name = "liveness"
    period = LIVENESS_PERIOD
    scaled = True
    at_swaps = True

    def __init__(
        self,
        tracker: LivenessTracker,
        scored: ScoredFace | None = None,
        unchanged_period: float | None = None,
    ) -> None:
        self._tracker = tracker
        self.scored = scored
        """``None``: the face could not be scored."""
        self.unchanged_period = unchanged_period or UNCHANGED_PERIOD
        """``UNCHANGED_PERIOD`` at the session's present rate."""

    def needs_faces(self, time: float) -> bool:
        """When a score is due even if the face has not changed: the networks score it where it is."""
        last = self.scored
        return last is None or not 0 <= time - last.time < self.unchanged_period - _EARLY

    def run(self, context: Context) -> ObservationPart:
        """Score the candidate's face, or report its last scores again."""
        face, frame = context.candidate, context.frame
        self.unchanged_period = UNCHANGED_PERIOD * context.slowdown
        if face is None:
            self.scored = None
            return {}
        if self._is_unchanged(context, face):
            return {"liveness": self._tracker.unchanged(frame.time, face.track)}
        liveness, unread = self._tracker.score(frame.time, frame.pixels, face.track, face.mesh)
        self.scored = None if unread else ScoredFace(frame.time, face.track, frame.luma, face.box)
        return {"liveness": liveness, "not_read": () if unread is None else (unread,)}

    def _is_unchanged(self, context: Context, face: TrackedFace) -> bool:
        """Whether the last scores still hold."""
        last, frame = self.scored, context.frame
        if last is None or last.track != face.track or not context.calm or context.swapped:
            return False
        if self.needs_faces(frame.time) or not self._tracker.certain:
            return False
        difference = face_difference(last.luma, frame.luma, last.face, frame.luma_scale)
        return difference <= UNCHANGED
