"""The reducer of judgement: the only way in which an input changes a session's state.

Live sessions, recordings and re-judging all use it, so equal inputs give equal incidents.
"""

from __future__ import annotations

from dataclasses import replace

from proctoring.incidents import IncidentChange
from proctoring.judgement.calibration import start_calibration
from proctoring.judgement.challenge import request_challenge
from proctoring.judgement.inputs import CalibrationRequested, ChallengeRequested, JudgementInput
from proctoring.judgement.judge import judge
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import JudgementState


def apply(
    policy: Policy, state: JudgementState, item: JudgementInput
) -> tuple[JudgementState, tuple[IncidentChange, ...]]:
    """The state after ``item``, and the incidents that it started, updated or ended.

    Pure: equal arguments give equal results. A request that cannot be met now (a challenge is
    running already, no calibration attempts are left) changes nothing.

    Raises:
        ValueError: the time of an observation is not finite.
    """
    match item:
        case ChallengeRequested(time, action):
            challenge = request_challenge(policy, state.challenge, time, action)
            return replace(state, challenge=challenge), ()
        case CalibrationRequested(time):
            calibration = start_calibration(policy, state.calibration, time)
            return replace(state, calibration=calibration), ()
    return judge(policy, state, item)
