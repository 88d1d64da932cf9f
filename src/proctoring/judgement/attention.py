"""How closely faces must be followed, because what is judged by them is or may soon be pending.

At other times perception may carry measurements over to frames in which the faces have not changed.
"""

from __future__ import annotations

from proctoring.judgement.calibration import is_calibration_active
from proctoring.judgement.challenge import is_challenge_active
from proctoring.judgement.enrolment import Phase, phase
from proctoring.judgement.policy import Policy
from proctoring.judgement.recent_angles import Angles, RecentAngles, angles_of
from proctoring.judgement.state import JudgementState, KindState
from proctoring.observations import Attention, FrameObservation

NEAR = 0.6
"""Share of a limit from which an angle is near it. The rest is more than a face can turn, or eyes can
move, without a change that is measured at once."""
ENROLMENT_SECONDS = 30.0
"""Seconds after which a candidate who is not ready yet is no longer measured in every frame."""
_OF_ANGLES = ("gaze.", "head.")
"""Families of incidents that are read from the angles alone."""
_OF_FACES = (
    *_OF_ANGLES,
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


def needed_attention(
    policy: Policy, state: JudgementState, frame: FrameObservation | None, recent: RecentAngles
) -> Attention:
    """How closely the faces of the next frame must be followed.

    Args:
        policy: its limits and rules.
        state: the present one.
        frame: the last observation of faces; ``None``: there was none.
        recent: the last measurements.
    """
    angles = None if frame is None else angles_of(frame)
    if angles is None or state.time is None:
        return Attention.EVERY_FRAME
    if (
        _is_about_to_be_ready(policy, state)
        or is_calibration_active(state.calibration, state.time)
        or is_challenge_active(state.challenge, state.time)
    ):
        return Attention.EVERY_FRAME
    pending = [
        (kind, known)
        for kind, known in state.kinds.items()
        if (known.samples or known.incident is not None) and kind.startswith(_OF_FACES)
    ]
    if not all(_is_interrupted(kind, known) for kind, known in pending):
        return Attention.EVERY_FRAME
    near = False
    for n, (angle, limit) in enumerate(zip(angles, _limits(policy, state, angles), strict=True)):
        if abs(angle) < NEAR * limit:
            continue
        near = True
        if recent.reach is None or limit - abs(angle) < recent.reach[n]:
            return Attention.EVERY_FRAME
    return Attention.EVERY_CHANGE if near or pending else Attention.USUAL


def _is_about_to_be_ready(policy: Policy, state: JudgementState) -> bool:
    """Whether the candidate may be ready within a few frames; not for ever, where something is missing."""
    now = phase(policy, state.enrolment)
    began = state.enrolment.started_at
    if now is not Phase.CALIBRATING or began is None or state.time is None:
        return now is Phase.WAITING
    return state.time - began < ENROLMENT_SECONDS


def _is_interrupted(kind: str, known: KindState) -> bool:
    """Whether a look aside is no incident yet, and was over in the last frame: it may go on."""
    if known.incident is not None or not kind.startswith(_OF_ANGLES):
        return False
    return not known.samples[-1].held


def _limits(policy: Policy, state: JudgementState, angles: Angles) -> Angles:
    """The limit of each angle on the side to which it points."""
    screen, head = state.calibration.extent or policy.screen, policy.head
    yaw, pitch, head_yaw, head_pitch = angles
    return (
        screen.left if yaw >= 0 else screen.right,
        screen.up if pitch >= 0 else screen.down,
        head.left if head_yaw >= 0 else head.right,
        head.up if head_pitch >= 0 else head.down,
    )
