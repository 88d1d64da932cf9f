"""Guided calibration: the measured extent, its bounds, and failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.judgement.build import ENROLLED, EXAM, run_on, seen, times

from proctoring.errors import BadPolicyError
from proctoring.incidents import IncidentState
from proctoring.judgement import (
    JudgementState,
    Policy,
    initial_state,
    parse_policy,
    state_from_json,
    state_to_json,
)
from proctoring.judgement.calibration import STEPS, start_calibration, why_no_calibration
from proctoring.observations import FrameObservation

Follow = Callable[[str, float], FrameObservation]


def follower(aside: float = 16.0, up: float = 5.0, down: float = 8.0, turn: float = 25.0) -> Follow:
    """A candidate who looks at each dot, at these angles from the centre, and turns the head."""

    def look(step: str, time: float) -> FrameObservation:
        if step.startswith("turn"):
            return seen(time, head=(turn if step == "turn_left" else -turn, 0))
        yaw = aside if step.endswith("left") else -aside
        return seen(time, yaw=yaw, pitch=up if step.startswith("top") else -down)

    return look


def guided(
    follow: Follow, policy: Policy = EXAM, state: JudgementState = ENROLLED, seconds: float = 50
) -> tuple[JudgementState, list[str], float]:
    """A calibration from 1.0 s on, followed with half a second delay: state, steps and end."""
    state = replace(state, calibration=start_calibration(policy, state.calibration, 1.0))
    shown, since = state.calibration.step, 1.0
    steps = [shown]
    for time in times(1.1, 1 + seconds):
        if not state.calibration.step:
            return state, steps, time
        if state.calibration.step != shown:
            shown, since = state.calibration.step, time
            steps.append(shown)
        observation = follow(shown, time) if time - since >= 0.5 else seen(time)
        state, changes = run_on([observation], policy, state)
        assert not [c for _, c in changes if c.kind.startswith(("gaze", "head"))]
    return state, steps, 1 + seconds


def test_completed_steps_give_the_extent_of_the_screen() -> None:
    state, steps, end = guided(follower())
    assert steps == list(STEPS)
    assert state.calibration.outcome == "done"
    reach = state.calibration.extent
    assert reach is not None
    assert (reach.left, reach.right) == (20.0, 20.0)  # 16 and a margin
    assert (reach.up, reach.down) == (12.0, 12.0)  # never nearer than the rule of the lids holds
    assert end < 15


def test_gaze_is_judged_by_the_measured_extent() -> None:
    """18 degrees aside exceeds the policy's 14, but not this candidate's screen."""
    at_the_edge = [seen(t, yaw=18) for t in times(60, 64)]
    beyond = [seen(t, yaw=23) for t in times(70, 74)]
    _, changes = run_on([*map(seen, times(55, 59)), *at_the_edge], EXAM)
    assert [c.kind for _, c in changes] == ["gaze.left"]
    state, _, _ = guided(follower())
    _, changes = run_on([*map(seen, times(55, 59)), *at_the_edge], EXAM, state)
    assert changes == []
    _, changes = run_on([*at_the_edge, *beyond], EXAM, state)
    started = [c for _, c in changes if c.state is IncidentState.STARTED]
    assert [c.kind for c in started] == ["gaze.left"]


@pytest.mark.parametrize(("aside", "reach"), [(5.0, 10.0), (12.0, 16.0), (22.0, 24.0)])
def test_the_extent_stays_within_the_policys_bounds(aside: float, reach: float) -> None:
    learned = guided(follower(aside))[0].calibration.extent
    assert learned is not None
    assert (learned.left, learned.right) == (reach, reach)


@pytest.mark.parametrize(
    ("follow", "reason"),
    [
        (follower(aside=45), "further than a screen may reach"),
        (follower(aside=0), "the eyes did not follow the dot"),
        (follower(aside=-16), "the eyes did not follow the dot"),
        (lambda _, t: seen(t, yaw=40 * ((t * 10) % 2)), "the eyes did not rest on the dot"),
        (lambda _, t: seen(t, readable=False), "the eyes could not be read"),
        (lambda _, t: seen(t, faces=0), "the eyes could not be read"),
    ],
)
def test_a_candidate_who_does_not_follow_the_dots_fails_with_a_reason(
    follow: Follow, reason: str
) -> None:
    state, steps, end = guided(follow)
    assert (steps, state.calibration.outcome) == (["top_left"], "failed")
    assert state.calibration.reason.startswith("look at the dot in the top left corner: ")
    assert state.calibration.reason.endswith(reason)
    assert state.calibration.extent is None
    assert end == pytest.approx(9.1)


def test_a_missing_head_turn_fails_its_step() -> None:
    state, steps, _ = guided(follower(turn=5))
    assert steps[-1] == "turn_left"
    assert (
        state.calibration.reason
        == "turn your head to your left: the head was not turned far enough"
    )


def test_a_failed_calibration_keeps_the_earlier_extent() -> None:
    state, _, _ = guided(follower())
    learned = state.calibration.extent
    state = replace(state, calibration=replace(state.calibration, step=""))
    again, _, _ = guided(follower(aside=45), state=state)
    assert (again.calibration.outcome, again.calibration.extent) == ("failed", learned)


def test_the_number_of_calibrations_is_limited() -> None:
    """Gaze and head are not judged meanwhile, so it is limited to three."""
    state = ENROLLED
    for _ in range(3):
        assert not why_no_calibration(EXAM, state.calibration)
        state, _, _ = guided(follower(aside=0), state=state)
    assert "as often as the policy allows" in why_no_calibration(EXAM, state.calibration)
    assert start_calibration(EXAM, state.calibration, 99) == state.calibration


def test_only_one_calibration_runs_at_a_time() -> None:
    running = start_calibration(EXAM, ENROLLED.calibration, 1.0)
    assert why_no_calibration(EXAM, running)
    assert start_calibration(EXAM, running, 2.0) == running


def test_a_required_calibration_must_be_completed_to_be_ready() -> None:
    policy = parse_policy(
        'name = "g"\n[calibration]\nrequired = true\n[enrolment]\ntime_limit = 60'
    )
    state, _ = run_on(map(seen, times(0, 1)), policy, initial_state())
    assert state.enrolment.missing == ("not_calibrated",)
    state, _, end = guided(follower(), policy, state)
    state, _ = run_on(map(seen, times(end, end + 2)), policy, state)
    assert state.enrolment.ready_at is not None


def test_a_required_calibration_without_enough_time_is_rejected() -> None:
    with pytest.raises(BadPolicyError, match=r"enrolment\.time_limit of 60"):
        parse_policy('name = "g"\n[calibration]\nrequired = true')
    with pytest.raises(BadPolicyError, match=r"needs calibration\.max_attempts"):
        parse_policy('name = "g"\n[calibration]\nrequired = true\nmax_attempts = 0')


def test_a_saved_state_continues_identically() -> None:
    state = replace(ENROLLED, calibration=start_calibration(EXAM, ENROLLED.calibration, 1.0))
    looks = [follower()("top_left", t) for t in times(1.1, 3)]
    whole, _ = run_on(looks, EXAM, state)
    for cut in range(0, len(looks), 3):
        first, _ = run_on(looks[:cut], EXAM, state)
        again = state_from_json(state_to_json(first))
        assert run_on(looks[cut:], EXAM, again)[0].calibration == whole.calibration
    assert whole.calibration.step == "top_right"
