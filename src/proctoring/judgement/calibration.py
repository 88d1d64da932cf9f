"""Guided calibration: the candidate looks at the corners of the screen, then turns the head.

It measures how far the screen extends from the centre of the candidate's gaze. The result replaces
the policy's ``[screen]``, within bounds of the policy, so that a candidate cannot have the
neighbour's desk accepted as screen. Up and down it can only widen: closer than the policy's limit
the eyelid rule does not hold. The head turns measure nothing: they show that the head follows, and
show the sides of the face to the liveness detection.

A step that is not completed in time ends the calibration with a reason and without a result.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from proctoring.judgement.arrival import reports_no_frames
from proctoring.judgement.movements import Movement, MovementOutcome, update_movement
from proctoring.judgement.policy import Policy
from proctoring.judgement.state import CalibrationState, GazeSample, ScreenExtent
from proctoring.judgement.times import TOLERANCE
from proctoring.observations import FrameObservation, Observation

STEPS: dict[str, str] = {
    "top_left": "Look at the dot in the top left corner.",
    "top_right": "Look at the dot in the top right corner.",
    "bottom_right": "Look at the dot in the bottom right corner.",
    "bottom_left": "Look at the dot in the bottom left corner.",
    "turn_left": "Turn your head to your left.",
    "turn_right": "Turn your head to your right, then look at the screen again.",
}
"""The steps in order, and the instructions for them."""

CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
"""The steps that measure gaze."""
SETTLE_TIME = 2.0
"""Seconds after a calibration before gaze and head are judged again."""
DWELL_TIME = 0.8
"""Seconds for which the gaze must rest on a dot."""
SACCADE_TIME = 0.7
"""Seconds to read the instruction and find the dot; gaze in this time is not used."""
MAX_SPREAD = 5.0
"""Width in degrees of the band that a resting gaze stays within. (Measured: the median deviation of
a resting gaze is below 1 degree.)"""
MIN_SHARE_AT_REST = 0.8
"""Share of samples that must lie within that band."""
MIN_SAMPLES = 4
"""Samples that a corner needs."""
MAX_SAMPLES = 64
"""Limit on the samples kept of a step."""
MIN_ASIDE = 3.0
"""Degrees towards its side that gaze at a corner must have at least, else the eyes did not follow."""
MARGIN = 4.0
"""Degrees added to the measured extent, because gaze wanders."""
MIN_EXTENT = 10.0
"""Degrees below which iris noise raises false alarms (``docs/reference/policies.md``)."""


def why_no_calibration(policy: Policy, state: CalibrationState) -> str:
    """Why no calibration can start now; empty if one can."""
    if state.step:
        return "a calibration runs already"
    if calibration_limit_reached(policy, state):
        return f"calibrated {state.attempts} times already, as often as the policy allows"
    return ""


def calibration_limit_reached(policy: Policy, state: CalibrationState) -> bool:
    """Whether no further calibration can start in this session."""
    return not state.step and state.attempts >= policy.calibration.max_attempts


def start_calibration(policy: Policy, state: CalibrationState, time: float) -> CalibrationState:
    """Start at the first step, unless ``why_no_calibration`` gives a reason not to."""
    if why_no_calibration(policy, state):
        return state
    return CalibrationState(
        attempts=state.attempts + 1, step=next(iter(STEPS)), step_at=time, extent=state.extent
    )


def update_calibration(
    policy: Policy, state: CalibrationState, observation: Observation
) -> CalibrationState:
    """The state after ``observation``."""
    time = observation.time
    if not state.step or time <= state.step_at:
        return state
    frame = observation if isinstance(observation, FrameObservation) else None
    if frame is None and not reports_no_frames(observation):
        return state
    if frame is not None and frame.faces is not None:
        state = _corner(policy, state, frame) if state.step in CORNERS else _turn(state, frame)
        if not state.step:
            return _finish(policy, state, time)
    limit = policy.calibration.step_time_limit + state.extra_time
    if time - state.step_at >= limit - TOLERANCE:
        return replace(
            state,
            step="",
            samples=(),
            movement=None,
            ended_at=time,
            outcome="failed",
            reason=f"{STEPS[state.step].rstrip('.').lower()}: {_failure_reason(policy, state)}",
        )
    return state


def is_calibration_active(state: CalibrationState, time: float) -> bool:
    """Whether the candidate may be looking or moving because of a calibration."""
    if state.step:
        return True
    return state.ended_at is not None and time - state.ended_at < SETTLE_TIME - TOLERANCE


def _corner(policy: Policy, state: CalibrationState, frame: FrameObservation) -> CalibrationState:
    """Add the frame's gaze; go to the next step once the gaze rests on the dot."""
    if frame.time - state.step_at < SACCADE_TIME - TOLERANCE:
        return state
    gaze = frame.candidate.gaze if frame.candidate is not None else None
    if gaze is None or gaze.confidence < policy.min_gaze_confidence:
        return state
    samples = (*state.samples, GazeSample(frame.time, gaze.yaw, gaze.pitch))
    # Keep one sample from before the dwell time, so that the samples can span it.
    first = max((i for i, s in enumerate(samples) if s.time <= frame.time - DWELL_TIME), default=0)
    samples = samples[first:][-MAX_SAMPLES:]
    state = replace(state, samples=samples)
    if frame.time - samples[0].time < DWELL_TIME - TOLERANCE or len(samples) < MIN_SAMPLES:
        return state
    if _wanders(samples) or _why_implausible(policy, state.step, samples):
        return state
    pitches = [sample.pitch for sample in samples if sample.pitch is not None]
    corner = GazeSample(
        frame.time,
        median(sample.yaw for sample in samples),
        median(pitches) if pitches else None,
    )
    return _next_step(replace(state, corners=(*state.corners, corner)), frame.time)


def _turn(state: CalibrationState, frame: FrameObservation) -> CalibrationState:
    movement = state.movement or Movement(state.step, state.step_at)
    movement, outcome = update_movement(movement, frame)
    if outcome is MovementOutcome.DONE:
        return _next_step(state, frame.time)
    return replace(state, movement=movement)


def _next_step(state: CalibrationState, time: float) -> CalibrationState:
    steps = list(STEPS)
    following = steps[steps.index(state.step) + 1 :]
    return replace(
        state,
        step=following[0] if following else "",
        step_at=time,
        extra_time=0.0,
        samples=(),
        movement=None,
    )


def _finish(policy: Policy, state: CalibrationState, time: float) -> CalibrationState:
    """End the calibration with the screen's extent, within the policy's bounds."""
    top_left, top_right, bottom_right, bottom_left = state.corners
    limits, bounds = policy.screen, policy.calibration

    def across(policy_limit: float, *angles: float) -> float:
        lowest = min(policy_limit, max(MIN_EXTENT, policy_limit - bounds.max_narrowing))
        return max(lowest, min(policy_limit + bounds.max_widening, max(angles) + MARGIN))

    def along(policy_limit: float, *angles: float | None) -> float:
        read = [angle + MARGIN for angle in angles if angle is not None]
        return max(policy_limit, min(policy_limit + bounds.max_widening, max(read, default=0.0)))

    def down(sample: GazeSample) -> float | None:
        return None if sample.pitch is None else -sample.pitch

    return replace(
        state,
        ended_at=time,
        outcome="done",
        reason="",
        extent=ScreenExtent(
            left=across(limits.left, top_left.yaw, bottom_left.yaw),
            right=across(limits.right, -top_right.yaw, -bottom_right.yaw),
            up=along(limits.up, top_left.pitch, top_right.pitch),
            down=along(limits.down, down(bottom_left), down(bottom_right)),
        ),
    )


def _wanders(samples: tuple[GazeSample, ...]) -> bool:
    """Whether the gaze does not rest."""
    yaws = sorted(sample.yaw for sample in samples)
    middle = median(yaws)
    near = sum(abs(yaw - middle) <= MAX_SPREAD / 2 for yaw in yaws)
    return near < MIN_SHARE_AT_REST * len(yaws)


def _why_implausible(policy: Policy, step: str, samples: tuple[GazeSample, ...]) -> str:
    """Why this gaze cannot be at the corner; empty if it can."""
    middle = median(sample.yaw for sample in samples)
    left = step.endswith("left")
    aside = middle if left else -middle
    limit = policy.screen.left if left else policy.screen.right
    if aside < MIN_ASIDE:
        return "the eyes did not follow the dot"
    if aside > limit + policy.calibration.max_widening:
        return f"the look went {aside:.0f} degrees aside, further than a screen may reach"
    return ""


def _failure_reason(policy: Policy, state: CalibrationState) -> str:
    """Why the step in progress was not completed."""
    if state.step not in CORNERS:
        return "the head was not turned far enough"
    if len(state.samples) < MIN_SAMPLES:
        return "the eyes could not be read"
    if _wanders(state.samples):
        return "the eyes did not rest on the dot"
    return _why_implausible(policy, state.step, state.samples) or "the look was too short"
