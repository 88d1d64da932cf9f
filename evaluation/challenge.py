"""Challenges, answered by recorded movements: ``python -m evaluation.challenge DATA``.

A woman looks straight ahead in one clip and turns her head in the next; the challenge is requested
where the first ends. The clip in which she turns left must pass "turn left" and nothing else. She was
not asked for anything: this measures how real movements are judged, not how people answer.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from evaluation.sessions import evaluation_models, recording, run_session
from proctoring.judgement.challenge import ACTIONS, request_challenge, update_challenge
from proctoring.judgement.policy import load_policy
from proctoring.judgement.state import EnrolmentState, initial_state
from proctoring.observations import FrameObservation

FIRST = "gaze/down/onya_center.mp4"
THEN = ("onya_left", "onya_right", "onya_up", "onya_down", "onya_center")


def main() -> None:
    """Print which movements each clip passes, and when."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    models = evaluation_models(arguments.data, object_model="none")
    first = arguments.data / FIRST
    for name in THEN:
        clips = [recording(first), recording(first.with_stem(name))]
        looks = run_session(models, load_policy("exam"), clips).looks
        at = max(look.observation.time for look in looks[:-1] if look.recording == first.name)
        if name == "onya_center":
            at = looks[len(looks) // 2].observation.time
        observations = [look.observation for look in looks]
        results = [f"{action}: {outcome(observations, at, action)}" for action in ACTIONS]
        print(f"{name} (requested at {at:.1f} s): {'; '.join(results)}", flush=True)


def outcome(observations: list[FrameObservation], at: float, action: str) -> str:
    """The outcome of a challenge requested at media time ``at``."""
    policy, enrolment = load_policy("exam"), EnrolmentState()
    state = request_challenge(policy, initial_state().challenge, at, action)
    for observation in observations:
        if observation.time <= at:
            continue
        state = update_challenge(policy, state, enrolment, observation)
        if state.outcome == "passed":
            return f"passed after {observation.time - at:.1f} s"
        if state.outcome:
            return f"missed ({state.reason.split(': ')[-1]})"
    return "not made before the clip ends"


if __name__ == "__main__":
    main()
