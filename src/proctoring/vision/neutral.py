"""The session's own neutral head pose: what "straight ahead" is for this camera and candidate.

A camera beside, above or below the screen reads a constant turn where there is none, and a face of
its own shape reads some too. The neutral pose is learned while the head is at rest. It is not to be
taught: only poses near the frontal one count, so a candidate who looks away from the first second
is judged against the frontal pose itself, and a candidate who holds a small turn at first is found
out when the pose held most of the time turns out to be another.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from proctoring.observations import HeadPose
from proctoring.vision.angles import circular_median, difference

FRONTAL = HeadPose(yaw=0.0, pitch=-3.0, roll=0.0)
"""What a head that faces the camera reads: the median of 26 recordings; half of them are within 3
degrees of it in yaw and pitch, the farthest at 9 and 13."""
GATE = HeadPose(yaw=18.0, pitch=20.0, roll=20.0)
"""How far from ``FRONTAL`` a neutral pose may be. Raising it serves cameras set up askew, and lets
a candidate who looks aside from the start pass that off as straight ahead."""
LEARNING_SECONDS = 1.5
"""The head must rest for about this long; after it, the frontal pose stands in for neutral."""

_MIN_SPAN = 0.75
"""Share of ``LEARNING_SECONDS`` that the frames must span."""
_MIN_SAMPLES = 5
_RESTING = 4.0
_RESTING_SHARE = 0.7
"""A head is at rest when this share of the frames is within so many degrees of their median. Small
faces jitter by 1 to 2."""
_MEMORY = 240
_MEMORY_PERIOD = 0.5
"""Seconds between remembered poses: 240 of them are the last two resting minutes."""
_REVIEW_PERIOD = 5.0
_REVIEW_SAMPLES = 30
_NEIGHBOUR = 5.0
"""Degrees within which two remembered poses count as the same one."""
_DOMINANT = 0.5
"""Share of the remembered poses that the commonest must have before neutral follows it."""
_MAX_STEP = 1.0
"""Degrees by which one review moves neutral."""


@dataclass(slots=True)
class NeutralPose:
    """Learns the neutral pose of one session; its fields are plain and can be saved."""

    pose: HeadPose | None = None
    """The neutral pose against the camera; ``None`` before there is one to judge by."""
    learned: bool = False
    """Whether ``pose`` is the candidate's own; otherwise it is ``FRONTAL``."""
    began: float | None = None
    window: deque[tuple[float, HeadPose]] = field(default_factory=deque)
    """The last ``LEARNING_SECONDS``, at low rates more."""
    memory: deque[HeadPose] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    remembered_at: float = float("-inf")
    reviewed_at: float = float("-inf")

    def relative(self, pose: HeadPose) -> HeadPose | None:
        """The turn of the head against neutral; ``None`` before there is a neutral pose."""
        if self.pose is None:
            return None
        return HeadPose(
            difference(pose.yaw, self.pose.yaw),
            difference(pose.pitch, self.pose.pitch),
            difference(pose.roll, self.pose.roll),
        )

    def update(self, time: float, pose: HeadPose) -> None:
        """Learn from the pose against the camera in one more frame."""
        if self.began is None:
            self.began = time
        self.window.append((time, pose))
        # At low rates the fewest frames that say anything span more than the learning time.
        while len(self.window) > _MIN_SAMPLES and time - self.window[0][0] > LEARNING_SECONDS:
            self.window.popleft()
        if not self.learned or time - self.remembered_at >= _MEMORY_PERIOD:
            resting = self._resting_pose(time)
            if resting is not None and _within_gate(resting):
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
        """The median pose of the window if the head is at rest."""
        if len(self.window) < _MIN_SAMPLES:
            return None
        if time - self.window[0][0] < _MIN_SPAN * LEARNING_SECONDS:
            return None
        poses = [pose for _, pose in self.window]
        middle = _median_pose(poses)
        turns = np.array(
            [
                (
                    difference(pose.yaw, middle.yaw),
                    difference(pose.pitch, middle.pitch),
                    difference(pose.roll, middle.roll),
                )
                for pose in poses
            ]
        )
        return (
            middle if np.quantile(np.abs(turns), _RESTING_SHARE, axis=0).max() <= _RESTING else None
        )

    def _review(self) -> None:
        """Move a little towards the pose that is held most of the time."""
        if len(self.memory) < _REVIEW_SAMPLES or self.pose is None:
            return
        turns = np.array([(pose.yaw, pose.pitch) for pose in self.memory], np.float32)
        near = np.abs(turns[:, None] - turns[None]).max(axis=2) <= _NEIGHBOUR
        best = near[int(near.sum(axis=1).argmax())]
        if best.mean() < _DOMINANT:
            return
        held = _median_pose([pose for pose, near in zip(self.memory, best, strict=True) if near])
        self.pose = HeadPose(
            _step(self.pose.yaw, held.yaw),
            _step(self.pose.pitch, held.pitch),
            _step(self.pose.roll, held.roll),
        )


def _within_gate(pose: HeadPose) -> bool:
    return (
        abs(difference(pose.yaw, FRONTAL.yaw)) <= GATE.yaw
        and abs(difference(pose.pitch, FRONTAL.pitch)) <= GATE.pitch
        and abs(difference(pose.roll, FRONTAL.roll)) <= GATE.roll
    )


def _median_pose(poses: list[HeadPose]) -> HeadPose:
    return HeadPose(
        circular_median([pose.yaw for pose in poses]),
        circular_median([pose.pitch for pose in poses]),
        circular_median([pose.roll for pose in poses]),
    )


def _step(angle: float, towards: float) -> float:
    return angle + max(-_MAX_STEP, min(_MAX_STEP, difference(towards, angle)))
