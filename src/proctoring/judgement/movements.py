"""Whether a movement that was asked for is made: judged by the same observations as all else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from proctoring.judgement.times import TOLERANCE
from proctoring.observations import Candidate, FrameObservation

TURN = 18.0
"""Degrees of the head against neutral that are a turn: beyond what heads do by themselves."""
CLOSER = 1.25
"""Times the width of the face: a fifth of the way to the camera."""
BLINKS = 2

_FACING = TURN / 2
_HELD = 0.2
"""Seconds for which a turn or a nearer face must be seen: three looks at the full rate."""
_CONTRARY = 0.4


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement that was asked for, and what was seen of it."""

    action: str
    """``turn_left``, ``turn_right``, ``blink_twice``, ``move_closer``."""
    asked_at: float
    armed: bool = False
    """Whether the candidate was seen in the pose from which the movement begins."""
    held_since: float | None = None
    """Since when it is held."""
    contrary_since: float | None = None
    """Since when its contrary is held."""
    seen: bool = False
    """Whether the candidate was seen at all since."""
    blinks: int | None = None
    """Count of blinks to begin with."""
    width: float | None = None
    """Width of the face to begin with, in pixels."""


class Verdict(StrEnum):
    """What became of a movement so far."""

    WAITING = "waiting"
    MADE = "made"
    WRONG = "wrong"


def watch(movement: Movement, observation: FrameObservation) -> tuple[Movement, Verdict]:
    """Take one frame into account."""
    candidate = observation.candidate
    if candidate is None:
        return replace(movement, held_since=None, contrary_since=None), Verdict.WAITING
    movement = replace(movement, seen=True)
    if movement.action == "blink_twice":
        return _blink(movement, candidate)
    if movement.action == "move_closer":
        return _closer(movement, observation, candidate)
    return _turn(movement, observation.time, candidate)


def why_not_made(movement: Movement, limit: float) -> str:
    """In words, after ``limit`` seconds."""
    if not movement.seen:
        return f"the candidate was not seen for {limit:.0f} s"
    return f"not done within {limit:.0f} s"


def can_be_read(action: str, observation: FrameObservation) -> bool:
    """Whether it makes sense to ask for this movement now."""
    candidate = observation.candidate
    if candidate is None or candidate.head is None:
        return False
    if action == "blink_twice":
        return candidate.blinks is not None and candidate.eyes_open is not None
    if action == "move_closer":
        width = _width(observation, candidate)
        return width is not None and width * CLOSER <= 0.5 * observation.width
    return abs(candidate.head.yaw) < _FACING


def _turn(movement: Movement, time: float, candidate: Candidate) -> tuple[Movement, Verdict]:
    if candidate.head is None:
        return movement, Verdict.WAITING
    yaw = candidate.head.yaw if movement.action == "turn_left" else -candidate.head.yaw
    # Whoever is turned already when asked must turn: a still picture does not.
    armed = movement.armed or abs(yaw) < _FACING
    held = _since(movement.held_since, time, holds=armed and yaw >= TURN)
    contrary = _since(movement.contrary_since, time, holds=armed and yaw <= -TURN)
    movement = replace(movement, armed=armed, held_since=held, contrary_since=contrary)
    if _lasts(held, time, _HELD):
        return movement, Verdict.MADE
    return movement, Verdict.WRONG if _lasts(contrary, time, _CONTRARY) else Verdict.WAITING


def _blink(movement: Movement, candidate: Candidate) -> tuple[Movement, Verdict]:
    if candidate.blinks is None:
        return movement, Verdict.WAITING
    # A face that is followed anew is counted anew.
    first = movement.blinks is None or candidate.blinks < movement.blinks
    begun = candidate.blinks if first else movement.blinks
    assert begun is not None  # noqa: S101
    made = candidate.blinks - begun >= BLINKS
    return replace(movement, blinks=begun), Verdict.MADE if made else Verdict.WAITING


def _closer(
    movement: Movement, observation: FrameObservation, candidate: Candidate
) -> tuple[Movement, Verdict]:
    width = _width(observation, candidate)
    if width is None:
        return movement, Verdict.WAITING
    begun = width if movement.width is None else movement.width
    held = _since(movement.held_since, observation.time, holds=width >= CLOSER * begun)
    made = _lasts(held, observation.time, _HELD)
    movement = replace(movement, width=begun, held_since=held)
    return movement, Verdict.MADE if made else Verdict.WAITING


def _width(observation: FrameObservation, candidate: Candidate) -> float | None:
    faces = observation.faces or ()
    return next((face.box.width for face in faces if face.track == candidate.track), None)


def _since(since: float | None, time: float, *, holds: bool) -> float | None:
    if not holds:
        return None
    return time if since is None else since


def _lasts(since: float | None, time: float, seconds: float) -> bool:
    return since is not None and time - since >= seconds - TOLERANCE
