"""How far gaze and head move from one measurement to the next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise

from proctoring.observations import FrameObservation

MEASUREMENTS = 5
"""Measurements that are compared, each with the one before."""
MAX_GAP = 2.0
"""Seconds between two measurements, or frames of no face, after which they are not compared."""
FACTOR = 1.5
"""By how much the next step may exceed the largest of the last ones."""
MIN_REACH = 2.5
"""Degrees that a step may always have: landmarks of a still face tremble by up to that."""

Angles = tuple[float, float, float, float]
"""Yaw and pitch of the gaze, yaw and pitch of the head, in degrees."""


def angles_of(frame: FrameObservation) -> Angles | None:
    """The candidate's angles; ``None``: gaze or head are not read. A gaze without pitch is level."""
    candidate = frame.candidate
    if candidate is None or candidate.gaze is None or candidate.head is None:
        return None
    gaze, head = candidate.gaze, candidate.head
    return gaze.yaw, gaze.pitch or 0.0, head.yaw, head.pitch


@dataclass(frozen=True, slots=True)
class RecentAnglesState:
    """The last measurements, to be kept in a snapshot."""

    angles: tuple[Angles, ...] = ()
    time: float = float("-inf")
    """Media time of the last one."""


class RecentAngles:
    """The last measurements of one session's candidate.

    Args:
        state: of a continued session.
    """

    def __init__(self, state: RecentAnglesState | None = None) -> None:
        state = state or RecentAnglesState()
        self._angles: deque[Angles] = deque(state.angles, maxlen=MEASUREMENTS)
        self._time = state.time

    @property
    def state(self) -> RecentAnglesState:
        """For a snapshot."""
        return RecentAnglesState(tuple(self._angles), self._time)

    def add(self, frame: FrameObservation) -> None:
        """Add an observation of faces; those that are carried over say nothing new."""
        if frame.carried_since is not None:
            return
        angles = angles_of(frame)
        if angles is None or not 0 < frame.time - self._time <= MAX_GAP:
            self._angles.clear()
        self._time = frame.time
        if angles is not None:
            self._angles.append(angles)

    @property
    def reach(self) -> Angles | None:
        """Degrees by which each angle may differ in the next frame; ``None``: too few measurements."""
        if len(self._angles) < MEASUREMENTS:
            return None
        steps = [
            [abs(now - before) for before, now in pairwise(values)]
            for values in zip(*self._angles, strict=True)
        ]
        gaze_yaw, gaze_pitch, head_yaw, head_pitch = (
            max(MIN_REACH, FACTOR * max(of_angle)) for of_angle in steps
        )
        return gaze_yaw, gaze_pitch, head_yaw, head_pitch
