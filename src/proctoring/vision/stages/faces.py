"""All faces with their landmarks, tracked from frame to frame."""

from __future__ import annotations

from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.networks import FaceNetworks
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class FaceStage(Stage):
    """Sets ``Context.faces``; they are reported by ``DepictedFacesStage``, which knows more of them."""

    name = "faces"

    def __init__(self, networks: FaceNetworks) -> None:
        self._tracker = FaceTracker(networks.detector, networks.landmarker)

    def run(self, context: Context) -> ObservationPart:
        """Track all faces."""
        context.faces = self._tracker.update(context.frame)
        return {}
