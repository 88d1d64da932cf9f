"""What a candidate is told: how enrolment stands. Made of judgement's state, told when it changes."""

from __future__ import annotations

from typing import Any

from proctoring.delivery.events import Notice
from proctoring.judgement.enrolment import MISSING, phase, progress
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import EnrolmentState, JudgementState


def enrolment_body(policy: Policy, state: EnrolmentState) -> dict[str, Any]:
    """How enrolment stands, as JSON values; the keys are those of ``docs/api.md``."""
    return {
        "state": phase(policy, state).value,
        "missing": [{"code": code, "text": MISSING[code]} for code in state.missing],
        "progress": round(progress(policy, state), 2),
        "ready_at": None if state.ready_at is None else round(state.ready_at, 3),
        "limit": policy.enrolment.limit,
    }


def notices(policy: Policy, before: JudgementState, after: JudgementState) -> tuple[Notice, ...]:
    """What has changed from one state to the next, for the candidate to know."""
    told: list[Notice] = []
    if _worth_telling(policy, before.enrolment) != _worth_telling(policy, after.enrolment):
        told.append(Notice("enrolment", enrolment_body(policy, after.enrolment)))
    return tuple(told)


def _worth_telling(policy: Policy, state: EnrolmentState) -> tuple[str, tuple[str, ...]]:
    return phase(policy, state), state.missing
