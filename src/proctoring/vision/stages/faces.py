"""All faces with their landmarks, tracked from frame to frame."""

from __future__ import annotations

from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.networks import FaceNetworks
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class FaceStage(Stage):
    """Sets ``Context.faces``; they are reported by ``DepictedFacesStage``, which knows more of them.

    Args:
        networks: the face detector and the landmark network.
        gated: see ``FaceTracker``.
    """

    name = "faces"
    measures_faces = True

    def __init__(self, networks: FaceNetworks, *, gated: bool = False) -> None:
        self._tracker = FaceTracker(networks.detector, networks.landmarker, gated=gated)

    def needs_faces(self, time: float) -> bool:
        """When new faces are to be looked for."""
        return self._tracker.is_detection_due(time)

    def run(self, context: Context) -> ObservationPart:
        """Track all faces."""
        context.faces = self._tracker.update(context.frame)
        return {}
