"""Challenges: movements that are made, missed, opposite, or not made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.judgement.build import ENROLLED, EXAM, of_kind, run_on, seen, times

from proctoring.errors import BadPolicyError
from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement import (
    JudgementState,
    Policy,
    initial_state,
    parse_policy,
    state_from_json,
    state_to_json,
)
from proctoring.judgement.challenge import ACTIONS, REST_TIME, request_challenge, why_no_challenge
from proctoring.observations import (
    AudioObservation,
    Box,
    BrowserObservation,
    ConnectionObservation,
    Face,
    FrameObservation,
    Observation,
)

ASKS = parse_policy('name = "asks"\n[challenge]\nenabled = true\nmean_interval = 30')


def asked(action: str, time: float = 1.0, policy: Policy = EXAM) -> JudgementState:
    """A session with a challenge requested at ``time``."""
    state, _ = run_on(map(seen, times(0, time)))
    return replace(state, challenge=request_challenge(policy, state.challenge, time, action))


def answer(
    action: str, observations: Iterable[Observation], policy: Policy = EXAM
) -> tuple[JudgementState, list[tuple[float, IncidentChange]]]:
    """A challenge at 1.0 s, followed by these observations."""
    return run_on(observations, policy, asked(action, policy=policy))


def blinking(time: float, blinks: int) -> FrameObservation:
    observation = seen(time)
    assert observation.candidate is not None
    return replace(observation, candidate=replace(observation.candidate, blinks=blinks))


def wide(time: float, width: float) -> FrameObservation:
    return replace(seen(time), faces=(Face(1, Box(100, 100, 100 + width, 220), 0.9),))


LEFT, RIGHT = (30.0, 0.0), (-30.0, 0.0)
ANSWERS: dict[str, list[Observation]] = {
    "turn_left": [seen(t, head=LEFT if 2 <= t <= 3 else (0, 0)) for t in times(1.1, 5)],
    "turn_right": [seen(t, head=RIGHT if 2 <= t <= 3 else (0, 0)) for t in times(1.1, 5)],
    "blink_twice": [blinking(t, 7 + (t >= 2) + (t >= 2.6)) for t in times(1.1, 5)],
    "move_closer": [wide(t, 100 if t < 2 else 130) for t in times(1.1, 5)],
}


def test_every_action_has_a_scene() -> None:
    assert ANSWERS.keys() == ACTIONS.keys()


@pytest.mark.parametrize(("action", "scene"), ANSWERS.items())
def test_a_movement_made_in_time_passes(action: str, scene: list[Observation]) -> None:
    state, changes = answer(action, scene)
    assert (state.challenge.movement, state.challenge.outcome) == (None, "passed")
    assert changes == []


@pytest.mark.parametrize("action", ACTIONS)
def test_a_still_picture_fails_all_attempts_and_is_an_incident(action: str) -> None:
    still = [blinking(t, 0) for t in times(1.1, 20)]
    state, changes = answer(action, still)
    ((at, started),) = of_kind(changes, "liveness.challenge_failed")
    assert at == pytest.approx(17.0)  # two attempts of 8 s
    assert (started.label, started.severity, started.alerts) == (
        "Challenge Failed",
        "violation",
        True,
    )
    assert "not done within 8 s" in started.reason
    assert state.challenge.outcome == "failed"
    ((end, _),) = of_kind(changes, "liveness.challenge_failed", IncidentState.ENDED)
    assert end == pytest.approx(17.1)


@pytest.mark.parametrize("action", ACTIONS)
def test_another_movement_does_not_pass(action: str) -> None:
    for other, scene in ANSWERS.items():
        if other != action:
            state, _ = answer(action, scene)
            assert state.challenge.outcome != "passed", other


def test_the_opposite_movement_fails_and_another_is_requested() -> None:
    state, changes = answer("turn_left", [seen(t, head=RIGHT) for t in times(1.5, 2.0)])
    assert state.challenge.attempt == 1  # it must first be seen to face the screen
    wrong = [seen(1.2), *(seen(t, head=RIGHT) for t in times(1.5, 2.0))]
    state, changes = answer("turn_left", wrong)
    assert (state.challenge.attempt, state.challenge.outcome) == (2, "again")
    assert "the contrary was done" in state.challenge.reason
    assert state.challenge.movement is not None
    assert state.challenge.movement.action != "turn_left"
    assert changes == []


def test_a_head_turned_before_the_request_must_turn_again() -> None:
    state, _ = answer("turn_left", [seen(t, head=LEFT) for t in times(1.1, 8)])
    assert state.challenge.outcome == ""
    back = [*(seen(t, head=LEFT) for t in times(1.1, 4)), seen(4.1)]
    state, _ = answer("turn_left", [*back, *(seen(t, head=LEFT) for t in times(4.2, 5))])
    assert state.challenge.outcome == "passed"


def test_blinks_before_the_request_or_of_another_track_do_not_count() -> None:
    assert answer("blink_twice", [blinking(t, 9) for t in times(1.1, 8)])[0].challenge.movement
    anew = [blinking(1.2, 9), blinking(1.4, 0), blinking(1.6, 1)]
    state, _ = answer("blink_twice", anew)
    assert state.challenge.movement
    state, _ = run_on([blinking(1.8, 2)], EXAM, state)
    assert state.challenge.outcome == "passed"


def test_gaze_and_head_are_not_judged_during_a_challenge_and_shortly_after() -> None:
    """The movement, held for 3 s, is no incident; looking away after it is."""
    held = [seen(t, head=LEFT, yaw=30) for t in times(1.3, 4.3)]
    late = [seen(t, head=LEFT, yaw=30) for t in times(4.4, 8)]
    _, changes = answer("turn_left", [seen(1.1), seen(1.2), *held])
    assert changes == []
    _, changes = answer("turn_left", [seen(1.1), seen(1.2), *held, *late])
    starts = [t for t, _ in of_kind(changes, "head.left")]
    assert starts == [pytest.approx(5.6, abs=0.2)]  # passed at 1.5, judged from 3.5 on


def test_other_kinds_are_judged_during_a_challenge() -> None:
    _, changes = answer("turn_left", [seen(t, faces=0) for t in times(1.1, 5)])
    assert [c.kind for _, c in changes] == ["face.absent"]


def test_a_challenge_fails_while_no_media_arrives() -> None:
    lost = [ConnectionObservation(t, connected=False) for t in times(2, 20, rate=1)]
    _, changes = answer("turn_left", lost)
    ((_, failed),) = of_kind(changes, "liveness.challenge_failed")
    assert "the candidate was not seen" in failed.reason


def test_audio_ahead_of_the_frames_does_not_hide_a_failure() -> None:
    """Audio and browser observations are judged on arrival; frames may wait for seconds."""
    ahead: list[Observation] = []
    for t in times(1.1, 18):
        silence = AudioObservation(t + 2, duration=0.5, speech=0.0, level=-60, diarization=None)
        ahead += [BrowserObservation(t + 2, True, True, None, None, None, 0, 0.0), silence, seen(t)]
    _, changes = answer("turn_left", ahead)
    assert len(of_kind(changes, "liveness.challenge_failed")) == 1


def test_only_one_challenge_runs_and_the_next_comes_after_a_rest() -> None:
    state = asked("turn_left")
    assert why_no_challenge(state.challenge, 2.0)
    assert request_challenge(EXAM, state.challenge, 2.0, "blink_twice") == state.challenge
    state, _ = run_on(ANSWERS["turn_left"], EXAM, state)
    ended = state.challenge.ended_at
    assert ended is not None
    assert (
        request_challenge(EXAM, state.challenge, ended + REST_TIME - 1, "blink_twice")
        == state.challenge
    )
    assert (
        request_challenge(EXAM, state.challenge, ended + REST_TIME, "blink_twice").movement
        is not None
    )


def calm(until: float) -> list[FrameObservation]:
    return [seen(t) for t in times(0, until, rate=2)]


def first_question(seed: str, policy: Policy = ASKS) -> tuple[float, str] | None:
    """Time and action of the first automatic challenge."""
    state = replace(ENROLLED, challenge=initial_state(seed).challenge)
    for observation in calm(60):
        state, _ = run_on([observation], policy, state)
        if state.challenge.movement is not None:
            return observation.time, state.challenge.movement.action
    return None


def test_automatic_challenges_depend_on_the_seed_alone() -> None:
    questions = {seed: first_question(seed) for seed in map(str, range(12))}
    assert questions == {seed: first_question(seed) for seed in questions}
    known = [question for question in questions.values() if question]
    assert len(known) == 12
    assert all(15 <= time <= 45.5 for time, _ in known)
    assert len({time for time, _ in known}) > 6
    assert len({action for _, action in known}) > 1


def test_no_automatic_challenge_unless_the_policy_enables_them() -> None:
    assert first_question("1", EXAM) is None


def test_no_challenge_before_the_candidate_is_ready_or_while_absent() -> None:
    small = [wide(t, 40) for t in times(0, 14, rate=2)]
    state, _ = run_on(small, ASKS, initial_state("1"))
    assert state.challenge.next_at is None
    state = replace(ENROLLED, challenge=initial_state("1").challenge)
    state, _ = run_on((seen(t, faces=0) for t in times(0, 60, rate=2)), ASKS, state)
    assert state.challenge.movement is None
    assert run_on([seen(60.5)], ASKS, state)[0].challenge.movement is not None


def test_movements_that_cannot_be_observed_are_not_requested() -> None:
    only = parse_policy(
        'name = "a"\n[challenge]\nenabled = true\nmean_interval = 30\nactions = ["blink_twice"]'
    )
    assert first_question("1", only) is None  # hand-made observations count no blinks


def test_a_saved_state_continues_identically() -> None:
    state = asked("turn_left")
    whole, _ = run_on(ANSWERS["turn_left"], EXAM, state)
    for cut in range(0, len(ANSWERS["turn_left"]), 3):
        first, _ = run_on(ANSWERS["turn_left"][:cut], EXAM, state)
        again = state_from_json(state_to_json(first))
        assert run_on(ANSWERS["turn_left"][cut:], EXAM, again)[0].challenge == whole.challenge


@pytest.mark.parametrize(
    "setting", ["actions = []", 'actions = ["dance"]', "limit = 0", "every = 1"]
)
def test_invalid_settings_are_rejected_with_their_path(setting: str) -> None:
    with pytest.raises(BadPolicyError, match=r"challenge\."):
        parse_policy(f'name = "bad"\n[challenge]\n{setting}')
