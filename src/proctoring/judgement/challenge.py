"""Challenges: unannounced requests for a movement, which a picture or replay cannot make.

Challenges happen if the policy enables them, or on request. Their times and movements are drawn
from the session's seed, so the same inputs always give the same challenges, and a candidate who
does not know the seed cannot predict them.

After a movement that is not made in time, or whose opposite is made, another one is requested, up
to the policy's ``max_attempts``, because people confuse left and right. Only then has the challenge
failed, which is an incident. Gaze and head are not judged during a challenge and shortly after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from proctoring.judgement.arrival import reports_no_frames
from proctoring.judgement.movements import (
    Movement,
    MovementOutcome,
    can_be_requested,
    failure_reason,
    update_movement,
)
from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import ChallengeState, EnrolmentState
from proctoring.judgement.times import TOLERANCE
from proctoring.observations import FrameObservation, Observation

ACTIONS: dict[str, str] = {
    "turn_left": "Turn your head to your left.",
    "turn_right": "Turn your head to your right.",
    "blink_twice": "Blink twice.",
    "move_closer": "Move closer to the camera.",
}
"""Movements and the instructions for them."""

SETTLE_TIME = 2.0
"""Seconds after a challenge before gaze and head are judged again."""
REST_TIME = 20.0
"""Seconds after a challenge in which no other can be requested: gaze and head are not judged during
challenges, so they must not follow each other closely."""


def why_no_challenge(state: ChallengeState, time: float) -> str:
    """Why no challenge can start at media time ``time``; empty if one can."""
    if state.movement is not None:
        return "a challenge runs already"
    if state.ended_at is not None and time - state.ended_at < REST_TIME - TOLERANCE:
        return f"the last challenge ended less than {REST_TIME:.0f} s ago"
    return ""


def request_challenge(
    policy: Policy, state: ChallengeState, time: float, action: str | None = None
) -> ChallengeState:
    """Start a challenge at media time ``time``, unless ``why_no_challenge`` gives a reason not to.

    Args:
        action: a key of ``ACTIONS``; ``None``: drawn at random from the policy's.
    """
    if why_no_challenge(state, time):
        return state
    action = action or _draw(state, policy.challenge.actions)
    return replace(_request(state, time, action), attempt=1, outcome="", reason="")


def update_challenge(
    policy: Policy, state: ChallengeState, enrolment: EnrolmentState, observation: Observation
) -> ChallengeState:
    """The state after ``observation``."""
    time = observation.time
    frame = observation if isinstance(observation, FrameObservation) else None
    if frame is None and not reports_no_frames(observation):
        return state
    if state.movement is None:
        return _start_if_due(policy, state, enrolment, frame) if frame is not None else state
    if time <= state.movement.requested_at:
        return state
    movement, outcome = state.movement, MovementOutcome.PENDING
    if frame is not None and frame.faces is not None:
        movement, outcome = update_movement(movement, frame)
    if outcome is MovementOutcome.DONE:
        return _end(policy, state, time, "passed", "")
    limit = policy.challenge.time_limit
    if outcome is MovementOutcome.OPPOSITE:
        return _fail(policy, state, time, "the contrary was done")
    if time - movement.requested_at >= limit + movement.extra_time - TOLERANCE:
        return _fail(policy, state, time, failure_reason(movement, limit))
    return replace(state, movement=movement)


def challenge_readings(state: ChallengeState, observation: Observation) -> Iterator[Reading]:
    """Whether a challenge has failed with this observation.

    Only of observations that ``update_challenge`` uses: audio and browser observations may be ahead
    of frames that are waiting, and their readings would make those of the frames late.
    """
    is_frame = isinstance(observation, FrameObservation)
    if state.count and (is_frame or reports_no_frames(observation)):
        held = state.failed_at == observation.time
        yield Reading("liveness.challenge_failed", held, 1.0, 1.0, state.reason)


def is_challenge_active(state: ChallengeState, time: float) -> bool:
    """Whether the candidate may be moving because of a challenge."""
    if state.movement is not None:
        return True
    return state.ended_at is not None and time - state.ended_at < SETTLE_TIME - TOLERANCE


def _start_if_due(
    policy: Policy, state: ChallengeState, enrolment: EnrolmentState, frame: FrameObservation
) -> ChallengeState:
    """Start an automatic challenge when it is due. None is due before the candidate is ready, or the
    time limit to become ready has passed."""
    rules = policy.challenge
    if not rules.enabled or enrolment.started_at is None:
        return state
    if state.next_at is None:
        late = frame.time - enrolment.started_at >= policy.enrolment.time_limit
        ready = not policy.enrolment.enabled or enrolment.ready_at is not None or late
        return replace(state, next_at=_draw_time(policy, state, frame.time)) if ready else state
    if frame.time < state.next_at - TOLERANCE or why_no_challenge(state, frame.time):
        return state
    # An absent candidate is not challenged: absence is an incident of its own.
    possible = [action for action in rules.actions if can_be_requested(action, frame)]
    if not possible:
        return state
    return request_challenge(policy, state, frame.time, _draw(state, possible))


def _fail(policy: Policy, state: ChallengeState, time: float, why: str) -> ChallengeState:
    """The movement failed: request another one, or end the challenge."""
    assert state.movement is not None  # noqa: S101
    action = state.movement.action
    reason = f"asked to {ACTIONS[action].rstrip('.').lower()}: {why}"
    if state.attempt >= policy.challenge.max_attempts:
        return replace(_end(policy, state, time, "failed", reason), failed_at=time)
    others = [str(other) for other in policy.challenge.actions if other != action] or [action]
    state = _request(state, time, _draw(state, others))
    return replace(state, attempt=state.attempt + 1, outcome="again", reason=reason)


def _request(state: ChallengeState, time: float, action: str) -> ChallengeState:
    return replace(state, movement=Movement(action, time), count=state.count + 1)


def _end(
    policy: Policy, state: ChallengeState, time: float, outcome: str, reason: str
) -> ChallengeState:
    next_at = _draw_time(policy, state, time) if policy.challenge.enabled else None
    return replace(
        state, movement=None, ended_at=time, outcome=outcome, reason=reason, next_at=next_at
    )


def _draw_time(policy: Policy, state: ChallengeState, time: float) -> float:
    return time + policy.challenge.mean_interval * (0.5 + _random(state, "time"))


def _draw(state: ChallengeState, actions: Sequence[str]) -> str:
    return actions[int(_random(state, "action") * len(actions))]


def _random(state: ChallengeState, purpose: str) -> float:
    """A number in [0, 1) that only depends on the seed, the count of requests and ``purpose``. A
    hash, so that it cannot be predicted without the seed."""
    digest = hashlib.sha256(f"{state.seed}/{state.count}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
