"""Which of the tracked faces is the candidate's."""

from __future__ import annotations

from proctoring.vision.candidate_assignment import CandidateState, assign_candidate
from proctoring.vision.stages.context import Context, ObservationPart
from proctoring.vision.stages.stage import Stage


class CandidateStage(Stage):
    """Gives ``candidate.track`` and sets what the context says about the candidate.

    Args:
        state: of a continued session.
    """

    name = "candidate"

    def __init__(self, state: CandidateState | None = None) -> None:
        self.state = state

    def run(self, context: Context) -> ObservationPart:
        """Assign the candidate's face."""
        assignment = assign_candidate(self.state, context.faces, context.frame.time)
        self.state = assignment.state
        context.candidate = assignment.face
        context.candidate_track = None if assignment.state is None else assignment.state.track
        context.person_changed = assignment.person_changed
        if assignment.person_changed:
            context.latest.candidate_generation += 1
        return {} if assignment.face is None else {"candidate": {"track": assignment.face.track}}
