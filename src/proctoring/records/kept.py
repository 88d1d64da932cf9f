"""What is kept of a sitting so that it can be judged again: all that judgement went by."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.observations import Observation


@dataclass(frozen=True, slots=True)
class MovementAsked:
    """Somebody had the candidate asked for a movement."""

    time: float
    """Media time in seconds."""
    action: str | None
    """``None``: one by chance."""


@dataclass(frozen=True, slots=True)
class CalibrationAsked:
    """Somebody had a guided calibration begin."""

    time: float
    """Media time in seconds."""


Kept = Observation | MovementAsked | CalibrationAsked
