"""What a candidate is told to do: a better position, the steps of a calibration, a movement.

Made of judgement's state, told when it changes; the keys are those of ``docs/integrate/sockets.md``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proctoring.judgement.calibration import STEPS
from proctoring.judgement.challenge import ACTIONS
from proctoring.judgement.enrolment import MISSING, phase, progress
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import (
    CalibrationState,
    ChallengeState,
    EnrolmentState,
    JudgementState,
)
from proctoring.records.entries import Notice


def guidance(policy: Policy, state: JudgementState) -> dict[str, dict[str, Any]]:
    """How all of it stands, as JSON values."""
    return {
        "enrolment": _enrolment(policy, state.enrolment),
        "calibration": _calibration(policy, state.calibration),
        "challenge": _challenge(policy, state.challenge),
    }


def notices(policy: Policy, before: JudgementState, after: JudgementState) -> tuple[Notice, ...]:
    """What has changed from one state to the next, for the candidate to know."""
    told: list[Notice] = []
    if _position(policy, before.enrolment) != _position(policy, after.enrolment):
        told.append(Notice("enrolment", _enrolment(policy, after.enrolment)))
    if _step(before.calibration) != _step(after.calibration):
        told.append(Notice("calibration", _calibration(policy, after.calibration)))
    if _asked(before.challenge) != _asked(after.challenge):
        told.append(Notice("challenge", _challenge(policy, after.challenge)))
    return tuple(told)


def _enrolment(policy: Policy, state: EnrolmentState) -> dict[str, Any]:
    return {
        "state": phase(policy, state).value,
        "missing": [{"code": code, "text": MISSING[code]} for code in state.missing],
        "progress": round(progress(policy, state), 2),
        "ready_at": None if state.ready_at is None else round(state.ready_at, 3),
        "limit": policy.enrolment.time_limit,
    }


def _calibration(policy: Policy, state: CalibrationState) -> dict[str, Any]:
    steps = list(STEPS)
    reach = state.reach
    return {
        "state": "running" if state.step else state.outcome or "none",
        "step": state.step,
        "text": STEPS.get(state.step, ""),
        "number": steps.index(state.step) + 1 if state.step else 0,
        "of": len(steps),
        "seconds": policy.calibration.step_time_limit,
        "reason": state.reason,
        "reach": reach and {side: round(value, 1) for side, value in asdict(reach).items()},
        "attempts_left": max(0, policy.calibration.max_attempts - state.attempts),
        "required": policy.calibration.required,
    }


def _challenge(policy: Policy, state: ChallengeState) -> dict[str, Any]:
    movement = state.movement
    return {
        "state": "asked" if movement else state.outcome or "none",
        "action": movement.action if movement else "",
        "text": ACTIONS[movement.action] if movement else "",
        "attempt": state.attempt,
        "attempts": policy.challenge.max_attempts,
        "seconds": policy.challenge.time_limit,
        "reason": state.reason,
    }


def _position(policy: Policy, state: EnrolmentState) -> tuple[str, tuple[str, ...]]:
    return phase(policy, state), state.missing


def _step(state: CalibrationState) -> tuple[int, str, float | None]:
    return state.attempts, state.step, state.ended_at


def _asked(state: ChallengeState) -> tuple[int, float | None]:
    return state.asked, state.ended_at
