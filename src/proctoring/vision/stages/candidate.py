"""Which of the tracked faces is the candidate's."""

from __future__ import annotations

from proctoring.vision.candidate import CandidateClaim, choose_candidate
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class CandidateStage(Stage):
    """Gives ``candidate.track`` and sets what the context says about the candidate."""

    name = "candidate"

    def __init__(self) -> None:
        self._claim: CandidateClaim | None = None

    def run(self, context: Context) -> ObservationPart:
        """Assign the candidate's face."""
        choice = choose_candidate(self._claim, context.faces, context.frame.time)
        self._claim = choice.claim
        context.candidate = choice.face
        context.candidate_track = None if choice.claim is None else choice.claim.track
        context.person_changed = choice.somebody_else
        if choice.somebody_else:
            context.latest.candidate_generation += 1
        return {} if choice.face is None else {"candidate": {"track": choice.face.track}}
