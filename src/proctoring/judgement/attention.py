"""When faces must be measured in every frame, because what is judged by them is or may soon be pending.

At other times perception may carry measurements over to frames in which the faces have not changed.
"""

from __future__ import annotations

from proctoring.judgement.calibration import is_calibration_active
from proctoring.judgement.challenge import is_challenge_active
from proctoring.judgement.enrolment import Phase, phase
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import HeadLimits, ScreenLimits
from proctoring.judgement.state import JudgementState, ScreenExtent
from proctoring.observations import FrameObservation, Gaze, HeadPose

NEAR = 0.6
"""Share of a limit from which an angle is near it. The rest is more than a face can turn, or eyes can
move, without a change that is measured at once."""
ENROLMENT_SECONDS = 30.0
"""Seconds after which a candidate who is not ready yet is no longer measured in every frame."""
_OF_FACES = (
    "gaze.",
    "head.",
    "person.",
    "face.absent",
    "face.hidden",
    "face.spoof",
    "face.motionless",
    "audio.multiple_speakers",
)
"""Kinds of incidents, or families of kinds, that depend on how faces move from frame to frame; lips, where
another speaker is heard. Identity does not: comparing it measures the face. Nor does speech alone: lips that
move are measured five times a second, which told them from still ones like ten (62 of 64 times; in the other
two it was unclear)."""


def needs_every_frame(
    policy: Policy, state: JudgementState, frame: FrameObservation | None
) -> bool:
    """Whether the faces of the next frame must be measured.

    Args:
        policy: its limits and rules.
        state: the present one.
        frame: the last observation of faces; ``None``: there was none.
    """
    if frame is None or state.time is None:
        return True
    return (
        _is_about_to_be_ready(policy, state)
        or is_calibration_active(state.calibration, state.time)
        or is_challenge_active(state.challenge, state.time)
        or any(
            known.samples or known.incident is not None
            for kind, known in state.kinds.items()
            if kind.startswith(_OF_FACES)
        )
        or _is_near_limits(policy, state, frame)
    )


def _is_about_to_be_ready(policy: Policy, state: JudgementState) -> bool:
    """Whether the candidate may be ready within a few frames; not for ever, where something is missing."""
    now = phase(policy, state.enrolment)
    began = state.enrolment.started_at
    if now is not Phase.CALIBRATING or began is None or state.time is None:
        return now is Phase.WAITING
    return state.time - began < ENROLMENT_SECONDS


def _is_near_limits(policy: Policy, state: JudgementState, frame: FrameObservation) -> bool:
    """Whether gaze or head are near a limit, or cannot be read."""
    candidate = frame.candidate
    if candidate is None or candidate.head is None or candidate.gaze is None:
        return True
    screen = state.calibration.extent or policy.screen
    return _near(candidate.gaze, screen) or _near(candidate.head, policy.head)


def _near(angles: Gaze | HeadPose, limits: ScreenLimits | ScreenExtent | HeadLimits) -> bool:
    pitch = angles.pitch or 0.0
    return (
        angles.yaw >= NEAR * limits.left
        or -angles.yaw >= NEAR * limits.right
        or pitch >= NEAR * limits.up
        or -pitch >= NEAR * limits.down
    )
