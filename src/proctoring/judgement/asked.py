"""Where stands what a candidate was asked to do: plain values that JSON can carry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a candidate's own screen reaches from the middle of the gaze, in degrees."""

    left: float
    right: float
    up: float
    down: float


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


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """The session's challenges."""

    seed: str = ""
    """What chance goes by; must not be known to the candidate."""
    asked: int = 0
    """Movements asked for so far."""
    next_at: float | None = None
    """When the next one is due by itself."""
    attempt: int = 0
    """Which of the policy's attempts runs, from 1."""
    movement: Movement | None = None
    """What runs now."""
    ended_at: float | None = None
    """When the last challenge ended."""
    outcome: str = ""
    """``passed``, ``failed``, or ``again``: a movement failed and another is asked for."""
    reason: str = ""
    """Why the last movement failed."""
    failed_at: float | None = None
    """When a challenge failed as a whole, last."""


@dataclass(frozen=True, slots=True)
class GazeSample:
    """Where the candidate looked in one frame of a calibration, in degrees."""

    time: float
    yaw: float
    pitch: float | None


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """The session's guided calibration."""

    attempts: int = 0
    """Begun so far."""
    step: str = ""
    """Which step runs (a key of ``STEPS``); empty: none."""
    step_at: float = 0.0
    samples: tuple[GazeSample, ...] = ()
    """The last looks of this step."""
    movement: Movement | None = None
    """The turn of the head that this step asks for."""
    corners: tuple[GazeSample, ...] = ()
    """What was learned at each corner so far, in the order of the steps."""
    ended_at: float | None = None
    outcome: str = ""
    """``done`` or ``failed``."""
    reason: str = ""
    reach: Reach | None = None
    """What was learned; stays when a later calibration fails."""
