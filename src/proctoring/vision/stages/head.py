"""The candidate's head pose against the session's neutral pose."""

from __future__ import annotations

from proctoring.observations import HeadPose, NotRead
from proctoring.vision.head_pose import CanonicalFace, estimate_head_pose
from proctoring.vision.neutral import NeutralPose
from proctoring.vision.stages.context import Context, HeadEstimate, ObservationPart
from proctoring.vision.stages.stage import Stage

NO_POSE = "the landmarks fit no head"


class HeadStage(Stage):
    """Gives ``candidate.head`` and sets ``Context.head``.

    Args:
        canonical: the face that is fitted to the landmarks.
        mirrored: whether the session's pictures are mirrored.
        neutral: of a continued session.
    """

    name = "head"
    measures_faces = True

    def __init__(
        self, canonical: CanonicalFace, *, mirrored: bool, neutral: NeutralPose | None = None
    ) -> None:
        self._canonical = canonical
        self._mirrored = mirrored
        self.neutral = neutral or NeutralPose()
        """What is known of the neutral pose."""

    def run(self, context: Context) -> ObservationPart:
        """Estimate the pose and learn the neutral one."""
        if context.baselines_void:
            self.neutral = NeutralPose()
        if context.candidate is None:
            context.head = self._estimate(None)
            return {}
        frame = context.frame
        pose = estimate_head_pose(
            self._canonical, context.candidate.mesh, frame.width, frame.height
        )
        if pose is not None:
            self.neutral.update(frame.time, pose)
        head = context.head = self._estimate(pose)
        context.learning |= not head.neutral_learned
        if head.turn is None:
            reason = NO_POSE if pose is None else "neutral pose not yet learned"
            return {"not_read": (NotRead("head", reason),)}
        return {"candidate": {"head": self._as_candidate_sees(head.turn)}}

    def _estimate(self, pose: HeadPose | None) -> HeadEstimate:
        return HeadEstimate(
            pose,
            None if pose is None else self.neutral.relative(pose),
            neutral_known=self.neutral.pose is not None,
            neutral_learned=self.neutral.learned,
        )

    def _as_candidate_sees(self, head: HeadPose) -> HeadPose:
        return HeadPose(-head.yaw, head.pitch, -head.roll) if self._mirrored else head
