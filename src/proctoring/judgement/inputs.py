"""The inputs of judgement: what changes the state of a session."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.observations import Observation


@dataclass(frozen=True, slots=True)
class ChallengeRequested:
    """A challenge was requested from outside, e.g. by an invigilator."""

    time: float
    """Media time in seconds."""
    action: str | None
    """A key of ``challenge.ACTIONS``; ``None``: drawn at random from the policy's."""


@dataclass(frozen=True, slots=True)
class CalibrationRequested:
    """A guided calibration was requested."""

    time: float
    """Media time in seconds."""


JudgementInput = Observation | ChallengeRequested | CalibrationRequested
"""Records store these, in order, so that a sitting can be judged again."""
