"""The session's own neutral head pose: what "straight ahead" is for this camera and candidate.

A camera beside, above or below the screen reads a constant turn where there is none, and a face of
its own shape reads some too. The neutral pose is learned from steady frames. It is not to be taught:
only poses near the frontal one count, so a candidate who looks away from the first second is judged
against the frontal pose itself, and a candidate who holds a small turn at first is found out when
the pose held most of the time turns out to be another.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from proctoring.observations import HeadPose
from proctoring.vision.angles import circular_median, difference

FRONTAL = HeadPose(yaw=0.0, pitch=-8.0, roll=0.0)
"""What a head that faces the camera reads on average (measured)."""
GATE = HeadPose(yaw=18.0, pitch=20.0, roll=20.0)
"""How far from ``FRONTAL`` a neutral pose may be. Raising it serves cameras set up askew, and lets
a candidate who looks aside from the start pass that off as straight ahead."""
LEARNING_SECONDS = 1.5
_MIN_SAMPLES = 10
_STEADY = 15.0
"""Degrees a second: a head that turns faster is not at rest."""
_LAPSE = 0.5
"""Seconds between two looks beyond which steadiness cannot be told."""
_MEMORY = 240
_MEMORY_PERIOD = 0.5
"""Seconds between remembered poses: 240 of them are the last two steady minutes."""
_REVIEW_PERIOD = 5.0
_REVIEW_SAMPLES = 30
_NEIGHBOUR = 5.0
"""Degrees within which two remembered poses count as the same one."""
_DOMINANT = 0.5
"""Share of the remembered poses that the commonest must have before neutral follows it."""
_MAX_STEP = 1.0
"""Degrees by which one review moves neutral."""


class NeutralPose:
    """Learns the neutral pose of one session; one instance per session."""

    def __init__(self) -> None:
        self._learning: list[tuple[float, HeadPose]] = []
        self._memory: deque[HeadPose] = deque(maxlen=_MEMORY)
        self._first: float | None = None
        self._last: tuple[float, HeadPose] | None = None
        self._remembered_at = float("-inf")
        self._reviewed_at = float("-inf")
        self.pose: HeadPose | None = None
        """The neutral pose against the camera; ``None`` before there is one to judge by."""
        self.learned = False
        """Whether ``pose`` is the candidate's own; otherwise it is ``FRONTAL``."""

    def forget(self) -> None:
        """Start again: another person, or the camera was moved."""
        self.__init__()  # type: ignore[misc]

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
        if self._first is None:
            self._first = time
        steady = self._is_steady(time, pose)
        self._last = (time, pose)
        if steady and _within_gate(pose):
            if not self.learned:
                self._learn(time, pose)
            if time - self._remembered_at >= _MEMORY_PERIOD:
                self._remembered_at = time
                self._memory.append(pose)
        if self.pose is None and time - self._first >= LEARNING_SECONDS:
            self.pose = FRONTAL
        if self.learned and time - self._reviewed_at >= _REVIEW_PERIOD:
            self._reviewed_at = time
            self._review()

    def _is_steady(self, time: float, pose: HeadPose) -> bool:
        if self._last is None:
            return False
        before, other = self._last
        lapse = time - before
        if not 0 < lapse <= _LAPSE:
            return False
        turn = max(
            abs(difference(pose.yaw, other.yaw)),
            abs(difference(pose.pitch, other.pitch)),
            abs(difference(pose.roll, other.roll)),
        )
        return turn / lapse <= _STEADY

    def _learn(self, time: float, pose: HeadPose) -> None:
        self._learning.append((time, pose))
        if len(self._learning) < _MIN_SAMPLES:
            return
        if time - self._learning[0][0] < LEARNING_SECONDS - _LAPSE:
            return
        poses = [pose for _, pose in self._learning]
        self.pose = _median_pose(poses)
        self.learned = True
        self._learning.clear()
        self._reviewed_at = time

    def _review(self) -> None:
        """Move a little towards the pose that is held most of the time."""
        if len(self._memory) < _REVIEW_SAMPLES or self.pose is None:
            return
        turns = np.array([(pose.yaw, pose.pitch) for pose in self._memory], np.float32)
        near = np.abs(turns[:, None] - turns[None]).max(axis=2) <= _NEIGHBOUR
        best = int(near.sum(axis=1).argmax())
        if near[best].mean() < _DOMINANT:
            return
        held = _median_pose(
            [pose for pose, is_near in zip(self._memory, near[best], strict=True) if is_near]
        )
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
