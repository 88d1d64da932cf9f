"""Builders of observations, and judging a sequence of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement import JudgementState, Policy, initial_state, judge, parse_policy
from proctoring.judgement.state import EnrolmentState
from proctoring.observations import (
    Box,
    Candidate,
    Detection,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    NotRead,
    ObjectDetections,
    Observation,
)

BOX = Box(10, 10, 110, 110)
EXAM = parse_policy('name = "exam"')
ENROLLED = replace(initial_state(), enrolment=EnrolmentState(started_at=0.0, ready_at=0.0))
"""State of a session whose candidate is ready, so that nothing is suspended."""


def seen(
    time: float,
    *,
    yaw: float = 0.0,
    pitch: float = 0.0,
    head: tuple[float, float] = (0.0, 0.0),
    faces: int | None = 1,
    readable: bool = True,
    unread: str = "eyes shut",
    objects: ObjectDetections | None = None,
) -> FrameObservation:
    """A frame with ``faces`` faces; the first one is the candidate's."""
    found = None if faces is None else tuple(Face(n + 1, BOX, 0.9) for n in range(faces))
    candidate = None
    if faces:
        gaze = Gaze(yaw, pitch, 0.8) if readable else None
        candidate = Candidate(1, HeadPose(head[0], head[1], 0.0), gaze, readable)
    not_read = () if readable else (NotRead("gaze", unread),)
    return FrameObservation(time, 640, 480, found, candidate, objects, not_read)


def look(
    *, phones: Iterable[float] = (), persons: Iterable[float] = (0.9,), detector: str = "ssd"
) -> ObjectDetections:
    """A result of the object detector: phones and persons with these scores."""
    return ObjectDetections(
        tuple(Detection("cell phone", score, BOX) for score in phones),
        tuple(Detection("person", score, BOX) for score in persons),
        detector,
    )


def times(start: float, end: float, rate: float = 10.0) -> Iterator[float]:
    """Media times from ``start`` to ``end`` inclusive, ``rate`` per second."""
    for n in range(round((end - start) * rate) + 1):
        yield start + n / rate


def run(
    observations: Iterable[Observation],
    policy: Policy = EXAM,
    state: JudgementState | None = None,
) -> list[tuple[float, IncidentChange]]:
    """Judge the observations; every change with the time of its observation."""
    return run_on(observations, policy, state)[1]


def run_on(
    observations: Iterable[Observation],
    policy: Policy = EXAM,
    state: JudgementState | None = None,
) -> tuple[JudgementState, list[tuple[float, IncidentChange]]]:
    """Like ``run``, with the final state."""
    state = state or ENROLLED
    changes: list[tuple[float, IncidentChange]] = []
    for observation in observations:
        state, new = judge(policy, state, observation)
        changes += [(observation.time, change) for change in new]
    return state, changes


def of_kind(
    changes: Iterable[tuple[float, IncidentChange]],
    kind: str,
    state: IncidentState = IncidentState.STARTED,
) -> list[tuple[float, IncidentChange]]:
    """The changes of one kind in one state."""
    return [(t, c) for t, c in changes if c.kind == kind and c.state is state]
