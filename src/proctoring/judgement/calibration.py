"""Guided calibration: the candidate looks at the corners of the screen and turns the head.

What it learns is how far this screen reaches from the middle of this candidate's gaze, and it
stands in for the policy's ``[screen]``; never by more than the policy allows, so that nobody can
teach that the neighbour's desk is screen. Up and down it only widens: nearer than the policy's
limit the rule of the lids does not hold. The turns of the head teach nothing: they show that the
head follows, and let the watch over signs of life see the face from its sides.

A step that is not done in time ends the calibration with a reason, and nothing is learned.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from proctoring.judgement.movements import Movement, Verdict, watch
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import CalibrationState, GazeSample, Reach
from proctoring.judgement.times import TOLERANCE
from proctoring.observations import ConnectionObservation, FrameObservation, Observation

STEPS: dict[str, str] = {
    "top_left": "Look at the dot in the top left corner.",
    "top_right": "Look at the dot in the top right corner.",
    "bottom_right": "Look at the dot in the bottom right corner.",
    "bottom_left": "Look at the dot in the bottom left corner.",
    "turn_left": "Turn your head to your left.",
    "turn_right": "Turn your head to your right, then look at the screen again.",
}
"""The steps in their order, and the words for them."""

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
SETTLE = 2.0
"""Seconds after the end before gaze and head are judged again."""
_DWELL = 0.8
"""Seconds for which the eyes must rest on a dot."""
_SACCADE = 0.7
"""Seconds to read the step and find the dot; the eyes of this time are not used."""
_SPREAD = 5.0
"""Degrees within which eyes that rest stay (median deviation of a resting gaze is below 1)."""
_MIN_SAMPLES = 4
_MIN_ASIDE = 3.0
"""Degrees to its own side that a look at a corner must at least have: else the eyes did not follow."""
_MARGIN = 4.0
"""Degrees added to what was learned: a gaze wanders."""
_FLOOR = 10.0
"""Degrees below which the noise of the iris alarms (``docs/reference/policies.md``)."""


def why_no_calibration(policy: Policy, state: CalibrationState) -> str:
    """Why none can begin now; empty when one can."""
    if state.step:
        return "a calibration runs already"
    if state.attempts >= policy.calibration.max_attempts:
        return f"calibrated {state.attempts} times already, as often as the policy allows"
    return ""


def start_calibration(policy: Policy, state: CalibrationState, time: float) -> CalibrationState:
    """Start at the first step, unless ``why_no_calibration`` gives a reason not to."""
    if why_no_calibration(policy, state):
        return state
    return CalibrationState(
        attempts=state.attempts + 1, step=next(iter(STEPS)), step_at=time, reach=state.reach
    )


def calibrate(
    policy: Policy, state: CalibrationState, observation: Observation
) -> CalibrationState:
    """What ``observation`` changes. Equal arguments always give equal results."""
    time = observation.time
    if not state.step or time <= state.step_at:
        return state
    frame = observation if isinstance(observation, FrameObservation) else None
    if frame is None and not isinstance(observation, ConnectionObservation):
        return state
    if frame is not None and frame.faces is not None:
        state = _corner(policy, state, frame) if state.step in CORNERS else _turn(state, frame)
        if not state.step:
            return _learned(policy, state, time)
    if time - state.step_at >= policy.calibration.step_time_limit - TOLERANCE:
        return replace(
            state,
            step="",
            samples=(),
            movement=None,
            ended_at=time,
            outcome="failed",
            reason=f"{STEPS[state.step].rstrip('.').lower()}: {_why(policy, state)}",
        )
    return state


def keeps_busy(state: CalibrationState, time: float) -> bool:
    """Whether the candidate moves because of a calibration."""
    if state.step:
        return True
    return state.ended_at is not None and time - state.ended_at < SETTLE - TOLERANCE


def _corner(policy: Policy, state: CalibrationState, frame: FrameObservation) -> CalibrationState:
    """Look whether the eyes rest on the dot."""
    if frame.time - state.step_at < _SACCADE - TOLERANCE:
        return state
    gaze = frame.candidate.gaze if frame.candidate is not None else None
    if gaze is None or gaze.confidence < policy.min_gaze_confidence:
        return state
    samples = (*state.samples, GazeSample(frame.time, gaze.yaw, gaze.pitch))
    # The one before the dwelling time stays, so that the samples can span it.
    first = max((i for i, s in enumerate(samples) if s.time <= frame.time - _DWELL), default=0)
    samples = samples[first:][-64:]
    state = replace(state, samples=samples)
    if frame.time - samples[0].time < _DWELL - TOLERANCE or len(samples) < _MIN_SAMPLES:
        return state
    if _wanders(samples) or _implausible(policy, state.step, samples):
        return state
    pitches = [sample.pitch for sample in samples if sample.pitch is not None]
    rests = GazeSample(
        frame.time,
        median(sample.yaw for sample in samples),
        median(pitches) if pitches else None,
    )
    return _next(replace(state, corners=(*state.corners, rests)), frame.time)


def _turn(state: CalibrationState, frame: FrameObservation) -> CalibrationState:
    movement = state.movement or Movement(state.step, state.step_at)
    movement, verdict = watch(movement, frame)
    if verdict is Verdict.MADE:
        return _next(state, frame.time)
    return replace(state, movement=movement)


def _next(state: CalibrationState, time: float) -> CalibrationState:
    steps = list(STEPS)
    following = steps[steps.index(state.step) + 1 :]
    return replace(
        state, step=following[0] if following else "", step_at=time, samples=(), movement=None
    )


def _learned(policy: Policy, state: CalibrationState, time: float) -> CalibrationState:
    """The screen's reach, within what the policy allows."""
    top_left, top_right, bottom_right, bottom_left = state.corners
    limits, bounds = policy.screen, policy.calibration

    def across(policy_limit: float, *looks: float) -> float:
        lowest = min(policy_limit, max(_FLOOR, policy_limit - bounds.max_narrowing))
        return max(lowest, min(policy_limit + bounds.max_widening, max(looks) + _MARGIN))

    def along(policy_limit: float, *looks: float | None) -> float:
        read = [look + _MARGIN for look in looks if look is not None]
        return max(policy_limit, min(policy_limit + bounds.max_widening, max(read, default=0.0)))

    def down(sample: GazeSample) -> float | None:
        return None if sample.pitch is None else -sample.pitch

    return replace(
        state,
        ended_at=time,
        outcome="done",
        reason="",
        reach=Reach(
            left=across(limits.left, top_left.yaw, bottom_left.yaw),
            right=across(limits.right, -top_right.yaw, -bottom_right.yaw),
            up=along(limits.up, top_left.pitch, top_right.pitch),
            down=along(limits.down, down(bottom_left), down(bottom_right)),
        ),
    )


def _wanders(samples: tuple[GazeSample, ...]) -> bool:
    yaws = sorted(sample.yaw for sample in samples)
    middle = median(yaws)
    near = sum(abs(yaw - middle) <= _SPREAD / 2 for yaw in yaws)
    return near < 0.8 * len(yaws)


def _implausible(policy: Policy, step: str, samples: tuple[GazeSample, ...]) -> str:
    """Why this cannot be a look at the corner; empty when it can."""
    middle = median(sample.yaw for sample in samples)
    left = step.endswith("left")
    aside = middle if left else -middle
    limit = policy.screen.left if left else policy.screen.right
    if aside < _MIN_ASIDE:
        return "the eyes did not follow the dot"
    if aside > limit + policy.calibration.max_widening:
        return f"the look went {aside:.0f} degrees aside, further than a screen may reach"
    return ""


def _why(policy: Policy, state: CalibrationState) -> str:
    """Why the step that runs was not done."""
    if state.step not in CORNERS:
        return "the head was not turned far enough"
    if len(state.samples) < _MIN_SAMPLES:
        return "the eyes could not be read"
    if _wanders(state.samples):
        return "the eyes did not rest on the dot"
    return _implausible(policy, state.step, state.samples) or "the look was too short"
