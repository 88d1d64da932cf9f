"""Looks up and down, told by the upper lid against the session's own baseline.

Neither the iris nor the head tells a downward look: the iris hides, and some heads rise while the
eyes fall. The upper lid follows the eye; when the eye shuts, the lower lid rises to meet it. The
constants were chosen on labelled recordings (``docs/accuracy.md``); lengths are in eye widths.

Degrees here are those of the rule: it holds from ``DOWN_DEGREES`` and ``UP_DEGREES`` on, and
between nothing and there the reading is in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.observations import HeadPose
from proctoring.vision.eyes import EyeShape

DOWN_DEGREES = 15.0
"""What a downward look reads where the rule begins to hold: the default policy's limit."""
UP_DEGREES = 12.0

_LID_FALLS = 0.09
_LID_FALLS_HEAD_LOW = 0.05
_HEAD_DOWN = 8.0
_HEAD_LOW = 18.0
_MIN_APERTURE = 0.28
_LOWER_LID_STAYS = -0.055
_HEAD_NOT_UP = -10.0
_IRIS_RISES = -0.03
_LID_RISES = -0.02
_LOOK_UP = 0.06
_HEAD_UP = -15.0
_HEAD_FAR_UP = -25.0
_LID_NOT_FALLING = 0.03
_TURNED = 30.0


@dataclass(frozen=True, slots=True)
class LidBaseline:
    """This candidate's eyes when they look at the screen, in eye widths."""

    iris_down: float
    upper_lid: float
    lower_lid: float
    aperture: float
    look_up: float
    """Mean of both eyeLookUp scores."""

    @property
    def is_plausible(self) -> bool:
        """Whether eyes on a screen look so; a baseline taken while looking down does not."""
        return self.upper_lid <= -0.12 and 0.17 <= self.aperture <= 0.5 and self.iris_down <= -0.02


def eyes_shut(baseline: LidBaseline, eyes: EyeShape, head: HeadPose) -> bool:
    """Whether the upper lid has fallen without following a downward look."""
    falls = eyes.upper_lid - baseline.upper_lid >= _LID_FALLS
    return falls and _down(baseline, eyes, head) < 1 and _up_by_head(baseline, eyes, head) < 1


def vertical_gaze(
    baseline: LidBaseline, eyes: EyeShape, look_up: float, head: HeadPose
) -> float | None:
    """Degrees, positive upwards, of open eyes; ``None`` where the head is turned too far.

    ``head`` is the turn against the session's neutral pose.
    """
    if abs(head.yaw) > _TURNED:
        return None
    by_head = _up_by_head(baseline, eyes, head)
    up = max(by_head, _up_by_eyes(baseline, eyes, look_up, head), 0.0)
    down = 0.0 if by_head >= 1 else _down(baseline, eyes, head)
    if down >= 1 or down * DOWN_DEGREES > up * UP_DEGREES:
        return -DOWN_DEGREES * down
    return UP_DEGREES * up


# Each of these is a share of what the rule asks for: 1 and more is where it holds.


def _up_by_head(baseline: LidBaseline, eyes: EyeShape, head: HeadPose) -> float:
    down = -head.pitch
    if eyes.upper_lid - baseline.upper_lid > _LID_NOT_FALLING:
        return down / _HEAD_FAR_UP
    return down / _HEAD_UP


def _up_by_eyes(baseline: LidBaseline, eyes: EyeShape, look_up: float, head: HeadPose) -> float:
    if -head.pitch >= _HEAD_DOWN:
        return 0.0
    return min(
        (eyes.iris_down - baseline.iris_down) / _IRIS_RISES,
        (eyes.upper_lid - baseline.upper_lid) / _LID_RISES,
        (look_up - baseline.look_up) / _LOOK_UP,
    )


def _down(baseline: LidBaseline, eyes: EyeShape, head: HeadPose) -> float:
    head_down = -head.pitch
    lid = eyes.upper_lid - baseline.upper_lid
    follows = (
        eyes.aperture >= _MIN_APERTURE * baseline.aperture
        and eyes.lower_lid - baseline.lower_lid >= _LOWER_LID_STAYS
        and head_down > _HEAD_NOT_UP
    )
    return max(
        lid / _LID_FALLS if follows else 0.0,
        min(head_down / _HEAD_DOWN, lid / _LID_FALLS),
        min(head_down / _HEAD_LOW, lid / _LID_FALLS_HEAD_LOW),
        0.0,
    )
