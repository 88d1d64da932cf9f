"""Brightness, structure and detail of the whole picture."""

from __future__ import annotations

from proctoring.vision.camera import measure_camera
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class CameraStage(Stage):
    """Gives ``camera``."""

    name = "camera"

    def run(self, context: Context) -> ObservationPart:
        """Measure the picture."""
        return {"camera": measure_camera(context.frame.pixels)}
