"""Whether a candidate makes a requested movement, judged from the same observations as all else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from proctoring.judgement.times import TOLERANCE
from proctoring.observations import Candidate, FrameObservation

TURN = 18.0
"""Degrees of head yaw from neutral that count as a turn: more than heads move unprompted."""
CLOSER = 1.25
"""Ratio of face widths that counts as moving closer: a fifth of the distance to the camera."""
BLINKS = 2
"""Blinks that ``blink_twice`` asks for."""
FACING = TURN / 2
"""Degrees of head yaw below which the candidate faces the screen."""
HOLD_TIME = 0.2
"""Seconds for which a turn or a closer face must be held: three frames at full rate."""
OPPOSITE_HOLD_TIME = 0.4
"""Seconds after which a turn to the wrong side fails the movement."""
MAX_WIDTH_TO_ASK = 0.5
"""Share of the frame's width that the face may fill after moving closer, for it to be requested."""


@dataclass(frozen=True, slots=True)
class Movement:
    """A requested movement and what was observed of it."""

    action: str
    """``turn_left``, ``turn_right``, ``blink_twice``, ``move_closer``."""
    requested_at: float
    extra_time: float = 0.0
    """Seconds without an analysis, by which the time limit is extended."""
    armed: bool = False
    """Whether the candidate was seen in the pose from which the movement starts."""
    held_since: float | None = None
    """Since when the movement is held."""
    opposite_since: float | None = None
    """Since when the opposite movement is held."""
    seen: bool = False
    """Whether the candidate was seen since the request."""
    initial_blinks: int | None = None
    """Count of blinks at the request."""
    initial_width: float | None = None
    """Width of the face at the request, in pixels."""


class MovementOutcome(StrEnum):
    """Outcome of a movement so far."""

    PENDING = "pending"
    DONE = "done"
    OPPOSITE = "opposite"


def update_movement(
    movement: Movement, observation: FrameObservation
) -> tuple[Movement, MovementOutcome]:
    """The movement after one more frame, and its outcome."""
    candidate = observation.candidate
    if candidate is None:
        return replace(movement, held_since=None, opposite_since=None), MovementOutcome.PENDING
    movement = replace(movement, seen=True)
    if movement.action == "blink_twice":
        return _blink(movement, candidate)
    if movement.action == "move_closer":
        return _move_closer(movement, observation, candidate)
    return _turn(movement, observation.time, candidate)


def failure_reason(movement: Movement, time_limit: float) -> str:
    """Why the movement was not made within ``time_limit`` seconds, in words."""
    if not movement.seen:
        return f"the candidate was not seen for {time_limit:.0f} s"
    return f"not done within {time_limit:.0f} s"


def can_be_requested(action: str, observation: FrameObservation) -> bool:
    """Whether the movement is possible and observable from this frame on."""
    candidate = observation.candidate
    if candidate is None or candidate.head is None:
        return False
    if action == "blink_twice":
        return candidate.blinks is not None and candidate.eyes_open is not None
    if action == "move_closer":
        width = _face_width(observation, candidate)
        return width is not None and width * CLOSER <= MAX_WIDTH_TO_ASK * observation.width
    return abs(candidate.head.yaw) < FACING


def _turn(
    movement: Movement, time: float, candidate: Candidate
) -> tuple[Movement, MovementOutcome]:
    if candidate.head is None:
        return movement, MovementOutcome.PENDING
    yaw = candidate.head.yaw if movement.action == "turn_left" else -candidate.head.yaw
    # A head that is turned already at the request must face the screen first: a still picture of a
    # turned head does not pass.
    armed = movement.armed or abs(yaw) < FACING
    held = _since(movement.held_since, time, holds=armed and yaw >= TURN)
    opposite = _since(movement.opposite_since, time, holds=armed and yaw <= -TURN)
    movement = replace(movement, armed=armed, held_since=held, opposite_since=opposite)
    if _lasted(held, time, HOLD_TIME):
        return movement, MovementOutcome.DONE
    if _lasted(opposite, time, OPPOSITE_HOLD_TIME):
        return movement, MovementOutcome.OPPOSITE
    return movement, MovementOutcome.PENDING


def _blink(movement: Movement, candidate: Candidate) -> tuple[Movement, MovementOutcome]:
    if candidate.blinks is None:
        return movement, MovementOutcome.PENDING
    # The count restarts when the face is tracked anew.
    restarted = movement.initial_blinks is None or candidate.blinks < movement.initial_blinks
    initial = candidate.blinks if restarted else movement.initial_blinks
    assert initial is not None  # noqa: S101
    done = candidate.blinks - initial >= BLINKS
    movement = replace(movement, initial_blinks=initial)
    return movement, MovementOutcome.DONE if done else MovementOutcome.PENDING


def _move_closer(
    movement: Movement, observation: FrameObservation, candidate: Candidate
) -> tuple[Movement, MovementOutcome]:
    width = _face_width(observation, candidate)
    if width is None:
        return movement, MovementOutcome.PENDING
    initial = width if movement.initial_width is None else movement.initial_width
    held = _since(movement.held_since, observation.time, holds=width >= CLOSER * initial)
    done = _lasted(held, observation.time, HOLD_TIME)
    movement = replace(movement, initial_width=initial, held_since=held)
    return movement, MovementOutcome.DONE if done else MovementOutcome.PENDING


def _face_width(observation: FrameObservation, candidate: Candidate) -> float | None:
    """Width of the candidate's face in pixels."""
    faces = observation.faces or ()
    return next((face.box.width for face in faces if face.track == candidate.track), None)


def _since(since: float | None, time: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return time if since is None else since


def _lasted(since: float | None, time: float, seconds: float) -> bool:
    return since is not None and time - since >= seconds - TOLERANCE
