"""Whether the camera was moved, by the background."""

from __future__ import annotations

from proctoring.vision.camera_movement import CameraMovementDetector
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class CameraMovementStage(Stage):
    """Gives ``scene``."""

    name = "camera_movement"
    period = 1.0

    def __init__(self) -> None:
        self._detector = CameraMovementDetector()

    def run(self, context: Context) -> ObservationPart:
        """Compare the background; persons of the latest object detection hide a part of it."""
        objects = context.latest.objects
        persons = () if objects is None else objects.persons
        return {
            "scene": self._detector.update(
                context.frame.pixels,
                [face.box for face in context.faces],
                [person.box for person in persons],
            )
        }
