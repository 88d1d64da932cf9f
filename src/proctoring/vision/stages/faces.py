"""All faces with their landmarks, tracked from frame to frame."""

from __future__ import annotations

from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class FaceStage(Stage):
    """Sets ``Context.faces``; they are reported by ``DepictedFacesStage``, which knows more of them.

    Args:
        tracker: of this session.
    """

    name = "faces"
    measures_faces = True

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker

    def needs_faces(self, time: float) -> bool:
        """When new faces are to be looked for."""
        return self._tracker.is_detection_due(time)

    def run(self, context: Context) -> ObservationPart:
        """Track all faces."""
        context.faces = self._tracker.update(context.frame)
        return {}
