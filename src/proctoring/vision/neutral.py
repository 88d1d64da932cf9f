"""Learns the session's neutral head pose: "straight ahead" for this camera and this candidate.

A camera beside, above or below the screen adds a constant turn to every estimate, and so does the
individual shape of a face. The neutral pose is learned while the head is at rest. A candidate cannot
easily manipulate it: only poses near the frontal one are accepted, so a candidate who looks away from the
first second is compared with the frontal pose; and one who starts with a small turn is corrected later
towards the pose that is held most of the time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.observations import HeadPose
from proctoring.vision.angles import circular_median, difference

FRONTAL = HeadPose(yaw=0.0, pitch=-3.0, roll=0.0)
"""Estimated pose in degrees of a head that faces the camera: the median of 26 recordings, of which half
are within 3 degrees in yaw and pitch, and the farthest at 9 and 13."""
MAX_DEVIATION = HeadPose(yaw=18.0, pitch=20.0, roll=20.0)
"""Largest deviation of a neutral pose from ``FRONTAL`` in degrees. Raising it serves cameras at an angle,
and lets a candidate who looks aside from the start have that accepted as straight ahead."""
LEARNING_SECONDS = 1.5
"""Time for which the head must rest; if it did not, ``FRONTAL`` stands in after this time."""

_MIN_SPAN = 0.75
"""Share of ``LEARNING_SECONDS`` that the frames must span."""
_MIN_SAMPLES = 5
_MAX_RESTING_DEVIATION = 4.0
_RESTING_SHARE = 0.7
"""A head is at rest when this share of the poses is within so many degrees of their median. Estimates
of small faces vary by 1 to 2 degrees."""
_MEMORY = 240
_MEMORY_PERIOD = 0.5
"""Number of remembered resting poses, and the seconds between two: two minutes."""
_REVIEW_PERIOD = 5.0
"""Seconds between two corrections."""
_REVIEW_SAMPLES = 30
"""Remembered poses before the first correction."""
_SAME_POSE = 5.0
"""Degrees within which two remembered poses are the same."""
_MIN_DOMINANCE = 0.5
"""Share of the remembered poses that the most frequent one must have for a correction."""
_MAX_STEP = 1.0
"""Degrees of one correction, at most."""

Angles = NDArray[np.float64]
"""(n, ...) in degrees."""


@dataclass(frozen=True, slots=True)
class NeutralPoseState:
    """The neutral pose of one session."""

    pose: HeadPose | None = None
    """Against the camera; ``None``: there is none yet."""
    learned: bool = False
    """Whether ``pose`` is the candidate's own; otherwise it is ``FRONTAL``."""
    began: float | None = None
    """Media time of the first pose."""
    remembered_at: float = float("-inf")
    reviewed_at: float = float("-inf")
    """Media times of the last remembered pose and of the last correction."""


@dataclass(frozen=True, slots=True, eq=False)
class PoseHistory:
    """What a neutral pose is learned from and corrected by. Without it, both begin anew."""

    began: float
    """``NeutralPoseState.began``."""
    window: Angles
    """(n, 4) ``NeutralPose.window``: time, yaw, pitch, roll."""
    memory: Angles
    """(n, 3) ``NeutralPose.memory``."""


class NeutralPose:
    """The neutral pose of one session and what it is learned from.

    Args:
        state: of a continued session.
        history: its history, not used if the pose was begun anew since it was kept.
    """

    def __init__(
        self, state: NeutralPoseState | None = None, history: PoseHistory | None = None
    ) -> None:
        state = state or NeutralPoseState()
        self.pose = state.pose
        self.learned = state.learned
        self.began = state.began
        self.remembered_at = state.remembered_at
        self.reviewed_at = state.reviewed_at
        self.window: deque[tuple[float, HeadPose]] = deque()
        """Times and poses of the last ``LEARNING_SECONDS``; at low frame rates of a longer time."""
        self.memory: deque[HeadPose] = deque(maxlen=_MEMORY)
        """Resting poses, for corrections."""
        if history is not None and history.began == self.began:
            self.window.extend((time, HeadPose(*pose)) for time, *pose in history.window.tolist())
            self.memory.extend(HeadPose(*pose) for pose in history.memory.tolist())

    @property
    def state(self) -> NeutralPoseState:
        """For a snapshot."""
        return NeutralPoseState(
            self.pose, self.learned, self.began, self.remembered_at, self.reviewed_at
        )

    @property
    def history(self) -> PoseHistory | None:
        """For a snapshot."""
        if self.began is None:
            return None
        return PoseHistory(
            self.began,
            np.array([(time, p.yaw, p.pitch, p.roll) for time, p in self.window], np.float64),
            np.array([(p.yaw, p.pitch, p.roll) for p in self.memory], np.float64),
        )

    def relative(self, pose: HeadPose) -> HeadPose | None:
        """The turn of the head against the neutral pose; ``None``: there is none yet."""
        if self.pose is None:
            return None
        return HeadPose(
            difference(pose.yaw, self.pose.yaw),
            difference(pose.pitch, self.pose.pitch),
            difference(pose.roll, self.pose.roll),
        )

    def update(self, time: float, pose: HeadPose) -> None:
        """Add the pose against the camera in one more frame."""
        if self.began is None:
            self.began = time
        self.window.append((time, pose))
        # At low frame rates, ``_MIN_SAMPLES`` frames span more than the learning time.
        while len(self.window) > _MIN_SAMPLES and time - self.window[0][0] > LEARNING_SECONDS:
            self.window.popleft()
        if not self.learned or time - self.remembered_at >= _MEMORY_PERIOD:
            resting = self._resting_pose(time)
            if resting is not None and _is_acceptable(resting):
                self.remembered_at = time
                self.memory.append(resting)
                if not self.learned:
                    self.pose, self.learned, self.reviewed_at = resting, True, time
        if self.pose is None and time - self.began >= LEARNING_SECONDS:
            self.pose = FRONTAL
        if self.learned and time - self.reviewed_at >= _REVIEW_PERIOD:
            self.reviewed_at = time
            self._review()

    def _resting_pose(self, time: float) -> HeadPose | None:
        """The median pose of the window; ``None``: too short, or the head is not at rest."""
        if len(self.window) < _MIN_SAMPLES:
            return None
        if time - self.window[0][0] < _MIN_SPAN * LEARNING_SECONDS:
            return None
        poses = [pose for _, pose in self.window]
        middle = _median_pose(poses)
        rests = (
            _is_at_rest([difference(pose.yaw, middle.yaw) for pose in poses])
            and _is_at_rest([difference(pose.pitch, middle.pitch) for pose in poses])
            and _is_at_rest([difference(pose.roll, middle.roll) for pose in poses])
        )
        return middle if rests else None

    def _review(self) -> None:
        """Correct the neutral pose towards the one that is held most of the time."""
        if len(self.memory) < _REVIEW_SAMPLES or self.pose is None:
            return
        turns = np.array([(pose.yaw, pose.pitch) for pose in self.memory], np.float32)
        near = np.abs(turns[:, None] - turns[None]).max(axis=2) <= _SAME_POSE
        best = near[int(near.sum(axis=1).argmax())]
        if best.mean() < _MIN_DOMINANCE:
            return
        held = _median_pose([pose for pose, near in zip(self.memory, best, strict=True) if near])
        self.pose = HeadPose(
            _step(self.pose.yaw, held.yaw),
            _step(self.pose.pitch, held.pitch),
            _step(self.pose.roll, held.roll),
        )


def _is_acceptable(pose: HeadPose) -> bool:
    return (
        abs(difference(pose.yaw, FRONTAL.yaw)) <= MAX_DEVIATION.yaw
        and abs(difference(pose.pitch, FRONTAL.pitch)) <= MAX_DEVIATION.pitch
        and abs(difference(pose.roll, FRONTAL.roll)) <= MAX_DEVIATION.roll
    )


def _is_at_rest(turns: list[float]) -> bool:
    """Whether the quantile ``_RESTING_SHARE`` of the turns' sizes is small enough."""
    sizes = sorted(map(abs, turns))
    place = (len(sizes) - 1) * _RESTING_SHARE
    below = int(place)
    above = min(below + 1, len(sizes) - 1)
    quantile = sizes[below] + (sizes[above] - sizes[below]) * (place - below)
    return quantile <= _MAX_RESTING_DEVIATION


def _median_pose(poses: list[HeadPose]) -> HeadPose:
    return HeadPose(
        circular_median([pose.yaw for pose in poses]),
        circular_median([pose.pitch for pose in poses]),
        circular_median([pose.roll for pose in poses]),
    )


def _step(angle: float, towards: float) -> float:
    return angle + max(-_MAX_STEP, min(_MAX_STEP, difference(towards, angle)))
