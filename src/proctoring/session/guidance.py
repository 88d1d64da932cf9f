"""Guidance for the candidate: enrolment, calibration, challenge and media as JSON values.

Derived from the state of judgement, and sent as notices when it changes. The keys are documented in
``docs/integrate/sockets.md``.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from proctoring.judgement.calibration import STEPS
from proctoring.judgement.challenge import ACTIONS
from proctoring.judgement.enrolment import MISSING, phase, progress
from proctoring.judgement.policy import Policy
from proctoring.judgement.problems import PROBLEMS, media_problems
from proctoring.judgement.state import (
    CalibrationState,
    ChallengeState,
    EnrolmentState,
    JudgementState,
)
from proctoring.records.entries import Notice


def guidance(policy: Policy, state: JudgementState) -> dict[str, dict[str, Any]]:
    """The state of all guidance."""
    return {
        "enrolment": _enrolment(policy, state.enrolment),
        "calibration": _calibration(policy, state.calibration),
        "challenge": _challenge(policy, state.challenge),
        "media": _media(state),
    }


def notices(policy: Policy, before: JudgementState, after: JudgementState) -> tuple[Notice, ...]:
    """Notices about what changed between two states, for the candidate."""
    changed: list[Notice] = []
    # Most inputs change none of these: identical objects need no comparison.
    if before.enrolment is not after.enrolment and (
        _enrolment_key(policy, before.enrolment) != _enrolment_key(policy, after.enrolment)
    ):
        changed.append(Notice("enrolment", _enrolment(policy, after.enrolment)))
    if before.calibration is not after.calibration and (
        _calibration_key(before.calibration) != _calibration_key(after.calibration)
    ):
        changed.append(Notice("calibration", _calibration(policy, after.calibration)))
    if before.challenge is not after.challenge and (
        _challenge_key(before.challenge) != _challenge_key(after.challenge)
    ):
        changed.append(Notice("challenge", _challenge(policy, after.challenge)))
    if media_problems(before) != media_problems(after):
        changed.append(Notice("media", _media(after)))
    return tuple(changed)


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
    extent = state.extent
    return {
        "state": "running" if state.step else state.outcome or "none",
        "step": state.step,
        "text": STEPS.get(state.step, ""),
        "number": steps.index(state.step) + 1 if state.step else 0,
        "of": len(steps),
        "seconds": policy.calibration.step_time_limit,
        "reason": state.reason,
        "reach": extent and {side: round(value, 1) for side, value in asdict(extent).items()},
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


def _media(state: JudgementState) -> dict[str, Any]:
    codes = media_problems(state)
    return {"problems": [{"code": code, "text": PROBLEMS[code]} for code in codes]}


def _enrolment_key(policy: Policy, state: EnrolmentState) -> tuple[str, tuple[str, ...]]:
    """What makes a change of the enrolment worth a notice."""
    return phase(policy, state), state.missing


def _calibration_key(state: CalibrationState) -> tuple[int, str, float | None]:
    """What makes a change of the calibration worth a notice."""
    return state.attempts, state.step, state.ended_at


def _challenge_key(state: ChallengeState) -> tuple[int, float | None]:
    """What makes a change of the challenge worth a notice."""
    return state.count, state.ended_at
