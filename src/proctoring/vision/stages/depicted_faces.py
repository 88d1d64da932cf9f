"""All faces, each with whether it is only a picture of a face."""

from __future__ import annotations

from proctoring.observations import Face
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class DepictedFacesStage(Stage):
    """Gives ``faces``, by track.

    Args:
        depicted: shared with ``ObjectStage``, which learns from it which persons are pictures.
    """

    name = "depicted_faces"
    measures_faces = True

    def __init__(self, depicted: DepictedFaceDetector) -> None:
        self._depicted = depicted

    def run(self, context: Context) -> ObservationPart:
        """Follow the movement of all faces."""
        candidate = None if context.candidate is None else context.candidate.track
        statuses = self._depicted.update(context.frame.time, context.faces, candidate)
        return {
            "faces": tuple(
                Face(
                    face.track,
                    face.box,
                    face.presence,
                    statuses[face.track].since,
                    statuses[face.track].depicted,
                )
                for face in sorted(context.faces, key=lambda face: face.track)
            )
        }
