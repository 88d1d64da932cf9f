"""Whether the camera was moved, by the background."""

from __future__ import annotations

from proctoring.observations import NotRead
from proctoring.vision.camera_movement import CameraMovementDetector
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage

NO_BACKGROUND = "too little background is visible beside the face, or it is plain"


class CameraMovementStage(Stage):
    """Gives ``scene``, and why it cannot be compared.

    Args:
        detector: of this session.
    """

    name = "camera_movement"
    period = 1.0

    def __init__(self, detector: CameraMovementDetector) -> None:
        self._detector = detector

    def needs_faces(self, time: float) -> bool:  # noqa: ARG002
        """Always: a moved camera voids what was learned of head and eyes."""
        return True

    def run(self, context: Context) -> ObservationPart:
        """Compare the background; persons of the latest object detection hide a part of it."""
        objects = context.latest.objects
        persons = () if objects is None else objects.persons
        first = self._detector.reference is None
        scene = self._detector.update(
            context.frame,
            [face.box for face in context.faces],
            [person.box for person in persons],
        )
        if scene.similarity is not None or first:
            return {"scene": scene}
        return {"scene": scene, "not_read": (NotRead("scene", NO_BACKGROUND),)}
