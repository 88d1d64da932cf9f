"""How far the candidate's mouth is open."""

from __future__ import annotations

from proctoring.vision.lips import mouth_opening
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class MouthStage(Stage):
    """Gives ``candidate.mouth_opening``."""

    name = "mouth"
    measures_faces = True

    def run(self, context: Context) -> ObservationPart:
        """Measure the lips."""
        if context.candidate is None:
            return {}
        return {"candidate": {"mouth_opening": mouth_opening(context.candidate.mesh)}}
