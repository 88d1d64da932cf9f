"""Observations to incidents, by policy: pure, no I/O, no numpy, no clock."""

from proctoring.judgement.judge import finish, initial_state, judge
from proctoring.judgement.policy import (
    Policy,
    load_policy,
    parse_policy,
    read_policy,
    shipped_policies,
    shipped_policy,
)
from proctoring.judgement.state import JudgementState, state_from_json, state_to_json

__all__ = [
    "JudgementState",
    "Policy",
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
