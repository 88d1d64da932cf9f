"""Challenges: a movement that is asked for without warning, which a picture cannot make.

Off unless the policy asks for them or somebody who watches does. Pure like all of judgement: when
the next one comes and which it is are drawn from the session's own seed, so the same session is
judged the same everywhere, and a candidate who does not know the seed cannot know either.

A movement that is not made in time, or whose contrary is made, is asked for anew, as another one,
up to ``attempts``: people confuse left and right, and look elsewhere when asked. Only then is it an
incident. While a challenge runs, and shortly after, gaze and head are not judged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from proctoring.judgement.movements import Movement, Verdict, can_be_read, watch, why_not_made
from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import ChallengeState, EnrolmentState
from proctoring.judgement.times import TOLERANCE
from proctoring.observations import ConnectionObservation, FrameObservation, Observation

ACTIONS: dict[str, str] = {
    "turn_left": "Turn your head to your left.",
    "turn_right": "Turn your head to your right.",
    "blink_twice": "Blink twice.",
    "move_closer": "Move closer to the camera.",
}
"""What can be asked for, and the words for it."""

SETTLE = 2.0
"""Seconds to come back from a movement before gaze and head are judged again."""
REST = 20.0
"""Seconds after a challenge in which no other can be asked for: they must not become a cover."""


def why_no_challenge(state: ChallengeState, time: float) -> str:
    """Why none can be asked for now; empty when one can."""
    if state.movement is not None:
        return "a challenge runs already"
    if state.ended_at is not None and time - state.ended_at < REST - TOLERANCE:
        return f"the last challenge ended less than {REST:.0f} s ago"
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
    action = action or _chosen(state, policy.challenge.actions)
    return replace(_asked(state, time, action), attempt=1, outcome="", reason="")


def challenge(
    policy: Policy, state: ChallengeState, enrolment: EnrolmentState, observation: Observation
) -> ChallengeState:
    """What ``observation`` changes. Equal arguments always give equal results."""
    time = observation.time
    frame = observation if isinstance(observation, FrameObservation) else None
    if frame is None and not isinstance(observation, ConnectionObservation):
        return state
    if state.movement is None:
        return _due(policy, state, enrolment, frame) if frame is not None else state
    if time <= state.movement.asked_at:
        return state
    movement, verdict = state.movement, Verdict.WAITING
    if frame is not None and frame.faces is not None:
        movement, verdict = watch(movement, frame)
    if verdict is Verdict.MADE:
        return _ended(policy, state, time, "passed", "")
    limit = policy.challenge.time_limit
    if verdict is Verdict.WRONG:
        return _missed(policy, state, time, "the contrary was done")
    if time - movement.asked_at >= limit - TOLERANCE:
        return _missed(policy, state, time, why_not_made(movement, limit))
    return replace(state, movement=movement)


def challenge_failed(state: ChallengeState, observation: Observation) -> Iterator[Reading]:
    """Whether a challenge has failed with this very observation.

    Read from what ``challenge`` goes by alone: sound and browser run ahead of pictures that wait
    for their turn, and a reading of theirs would make that of the picture a late one.
    """
    if state.asked and isinstance(observation, FrameObservation | ConnectionObservation):
        held = state.failed_at == observation.time
        yield Reading("liveness.challenge_failed", held, 1.0, 1.0, state.reason)


def keeps_busy(state: ChallengeState, time: float) -> bool:
    """Whether the candidate moves because of a challenge."""
    if state.movement is not None:
        return True
    return state.ended_at is not None and time - state.ended_at < SETTLE - TOLERANCE


def _due(
    policy: Policy, state: ChallengeState, enrolment: EnrolmentState, frame: FrameObservation
) -> ChallengeState:
    """Ask by chance, once the candidate is ready or has had the time to be."""
    rules = policy.challenge
    if not rules.enabled or enrolment.began_at is None:
        return state
    if state.next_at is None:
        late = frame.time - enrolment.began_at >= policy.enrolment.time_limit
        ready = not policy.enrolment.enabled or enrolment.ready_at is not None or late
        return replace(state, next_at=_next_at(policy, state, frame.time)) if ready else state
    if frame.time < state.next_at - TOLERANCE or why_no_challenge(state, frame.time):
        return state
    # One who is not there cannot answer, and is told as absent.
    able = [action for action in rules.actions if can_be_read(action, frame)]
    if not able:
        return state
    return request_challenge(policy, state, frame.time, _chosen(state, able))


def _missed(policy: Policy, state: ChallengeState, time: float, why: str) -> ChallengeState:
    assert state.movement is not None  # noqa: S101  (callers look)
    action = state.movement.action
    reason = f"asked to {ACTIONS[action].rstrip('.').lower()}: {why}"
    if state.attempt >= policy.challenge.max_attempts:
        return replace(_ended(policy, state, time, "failed", reason), failed_at=time)
    others = [str(other) for other in policy.challenge.actions if other != action] or [action]
    state = _asked(state, time, _chosen(state, others))
    return replace(state, attempt=state.attempt + 1, outcome="again", reason=reason)


def _asked(state: ChallengeState, time: float, action: str) -> ChallengeState:
    return replace(state, movement=Movement(action, time), asked=state.asked + 1)


def _ended(
    policy: Policy, state: ChallengeState, time: float, outcome: str, reason: str
) -> ChallengeState:
    next_at = _next_at(policy, state, time) if policy.challenge.enabled else None
    return replace(
        state, movement=None, ended_at=time, outcome=outcome, reason=reason, next_at=next_at
    )


def _next_at(policy: Policy, state: ChallengeState, time: float) -> float:
    return time + policy.challenge.mean_interval * (0.5 + _chance(state, "time"))


def _chosen(state: ChallengeState, actions: Sequence[str]) -> str:
    return actions[int(_chance(state, "action") * len(actions))]


def _chance(state: ChallengeState, what: str) -> float:
    """From 0 to below 1, the same for the same seed: hashed, as whoever reads this must not guess."""
    digest = hashlib.sha256(f"{state.seed}/{state.asked}/{what}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48
