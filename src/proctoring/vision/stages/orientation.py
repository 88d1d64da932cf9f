"""Whether the picture is turned by 90, 180 or 270 degrees."""

from __future__ import annotations

from proctoring.vision.orientation import OrientationDetector
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class OrientationStage(Stage):
    """Gives ``turned``.

    Args:
        detector: of this session.
    """

    name = "orientation"
    measures_faces = True

    def __init__(self, detector: OrientationDetector) -> None:
        self._detector = detector

    def run(self, context: Context) -> ObservationPart:
        """Look for turned faces, if there is no upright one."""
        scene = context.found.get("scene")
        return {"turned": self._detector.update(context.frame, context.faces, scene)}
