"""Observations to incidents, by policy: pure, no I/O, no numpy, no clock."""

from proctoring.judgement.inputs import CalibrationRequested, ChallengeRequested, JudgementInput
from proctoring.judgement.judge import finish, judge
from proctoring.judgement.policy import (
    Policy,
    load_policy,
    parse_policy,
    read_policy,
    shipped_policies,
    shipped_policy,
)
from proctoring.judgement.reducer import apply
from proctoring.judgement.state import JudgementState, initial_state, state_from_json, state_to_json

__all__ = [
    "CalibrationRequested",
    "ChallengeRequested",
    "JudgementInput",
    "JudgementState",
    "Policy",
    "apply",
    "finish",
    "initial_state",
    "judge",
    "load_policy",
    "parse_policy",
    "read_policy",
    "shipped_policies",
    "shipped_policy",
    "state_from_json",
    "state_to_json",
]
