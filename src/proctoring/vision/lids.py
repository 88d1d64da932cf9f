"""Estimates vertical gaze from the upper lid, against the session's own baseline.

Neither iris nor head shows reliably that a person looks down: the lid hides the iris, and some people
raise the head while lowering the eyes. The upper lid follows the eye; when the eye shuts, the lower lid
rises to meet it.

The rule for "down" and the rule for "up" are conditions on lids, iris and head. The constants were
chosen on labelled recordings (docs/accuracy.md); lengths are in eye widths as in ``eyes.py``, angles in
degrees. The estimate is scaled so that it reaches ``DOWN_DEGREES`` or ``UP_DEGREES`` exactly where the
rule is met; it is no measured angle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from proctoring.observations import HeadPose
from proctoring.vision.eyes import EyeShape

DOWN_DEGREES = 15.0
"""Estimate where the rule for "down" is just met: the default policy's limit."""
UP_DEGREES = 12.0
"""Likewise for "up"."""

# Head pitch is counted downwards here: positive when the head is lowered.
_LID_FALLS = 0.09
"""Fall of the upper lid against the baseline that shows a look down."""
_LID_FALLS_HEAD_LOW = 0.05
"""The same where the head is lowered by ``_HEAD_LOW``."""
_HEAD_DOWN = 8.0
"""Head lowered so far that a fallen lid shows a look down even if the lower lid has risen."""
_HEAD_LOW = 18.0
_MIN_APERTURE = 0.28
"""Share of the baseline's aperture below which the eye is shutting, not looking down."""
_LOWER_LID_STAYS = -0.055
"""Change of the lower lid (negative: risen) below which the eye is shutting."""
_HEAD_NOT_UP = -10.0
"""A head raised further than this does not look down, whatever the lids."""
_IRIS_RISES = -0.03
_LID_RISES = -0.02
_LOOK_UP = 0.06
"""Changes of iris, upper lid and eyeLookUp score that together show a look up."""
_HEAD_UP = -15.0
"""Head raised so far that it shows a look up by itself."""
_HEAD_FAR_UP = -25.0
"""The same where the upper lid has fallen by more than ``_LID_NOT_FALLING``."""
_LID_NOT_FALLING = 0.03
_MAX_YAW = 30.0
"""Head turn in degrees beyond which the lids cannot be measured."""

_MAX_UPPER_LID = -0.12
_MIN_OPEN, _MAX_OPEN = 0.17, 0.5
_MAX_IRIS_DOWN = -0.02
"""Upper lid, aperture and iris of eyes that look at a screen."""


@dataclass(frozen=True, slots=True)
class LidBaseline:
    """The candidate's eyes while looking at the screen, in eye widths."""

    iris_down: float
    upper_lid: float
    lower_lid: float
    aperture: float
    look_up: float
    """Mean of both eyeLookUp scores."""

    @property
    def is_plausible(self) -> bool:
        """Whether the eyes may look at a screen; a baseline learned while looking down does not pass."""
        return (
            self.upper_lid <= _MAX_UPPER_LID
            and _MIN_OPEN <= self.aperture <= _MAX_OPEN
            and self.iris_down <= _MAX_IRIS_DOWN
        )


def eyes_shut(baseline: LidBaseline, eyes: EyeShape, head: HeadPose) -> bool:
    """Whether the upper lid has fallen, but not because the eyes look down."""
    falls = eyes.upper_lid - baseline.upper_lid >= _LID_FALLS
    return falls and _down(baseline, eyes, head) < 1 and _up_by_head(baseline, eyes, head) < 1


def may_look_up(baseline: LidBaseline, eyes: EyeShape, head: HeadPose) -> bool:
    """Whether the eyeLookUp scores can change ``vertical_gaze``: not where iris and upper lid have risen too
    little to say more than the head does, or the eyes look down whatever they say."""
    by_head = _up_by_head(baseline, eyes, head)
    at_most = _up_by_eyes(baseline, eyes, math.inf, head)
    if abs(head.yaw) > _MAX_YAW or at_most <= max(by_head, 0.0):
        return False
    down = 0.0 if by_head >= 1 else _down(baseline, eyes, head)
    return down < 1 and down * DOWN_DEGREES <= at_most * UP_DEGREES


def vertical_gaze(
    baseline: LidBaseline, eyes: EyeShape, look_up: float, head: HeadPose
) -> float | None:
    """Vertical gaze of open eyes in degrees, positive upwards; ``None``: the head is turned too far.

    Args:
        baseline: the candidate's.
        eyes: measured in this frame.
        look_up: mean of both eyeLookUp scores.
        head: turn of the head against the session's neutral pose.
    """
    if abs(head.yaw) > _MAX_YAW:
        return None
    by_head = _up_by_head(baseline, eyes, head)
    up = max(by_head, _up_by_eyes(baseline, eyes, look_up, head), 0.0)
    down = 0.0 if by_head >= 1 else _down(baseline, eyes, head)
    if down >= 1 or down * DOWN_DEGREES > up * UP_DEGREES:
        return -DOWN_DEGREES * down
    return UP_DEGREES * up


# Each of these is the share to which a rule is met: from 1 on it is.


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
