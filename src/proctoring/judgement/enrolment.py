"""Enrolment: at the start of a session the candidate is guided into a position that can be judged.

A session is *calibrating* until nothing has been missing for ``min_steady_time`` and there is a
baseline for head and gaze. Then it is *ready*, for good: hiding does not make it calibrating again.
Families that depend on the position (``suspended``) are not judged before. The time is counted from
the first frame and never restarts: at ``time_limit`` everything is judged, and a session that is not
ready is an incident until it is. Phones, other persons, other speakers, presentation attacks and a
lost connection are judged from the first frame on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from proctoring.judgement.arrival import reports_no_frames
from proctoring.judgement.camera import camera_trouble
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import HeadLimits, ScreenLimits
from proctoring.judgement.presence import ABSENT, HIDDEN, persons_in
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import EnrolmentState, PersonCount
from proctoring.judgement.times import TOLERANCE
from proctoring.observations import Candidate, FrameObservation, Observation

MISSING: dict[str, str] = {
    "camera_covered": "The camera shows nothing: uncover it.",
    "too_dark": "It is too dark: switch on a light in front of you.",
    "too_bright": "The picture is burnt out: turn the camera away from the light.",
    "out_of_focus": "The picture is out of focus: clean the camera.",
    "picture_turned": "The picture is turned: turn the camera upright.",
    "nobody": "Nobody is in the picture: sit down in front of the camera.",
    "two_persons": "Somebody else is in the picture: only you may be.",
    "face_too_small": "Your face is too small: move closer to the camera.",
    "face_cut_off": "Your face is cut off: move into the middle of the picture.",
    "face_turned_away": "Your head is turned away: face the screen.",
    "looking_away": "You look away: look at the middle of the screen.",
    "baseline_not_learned": "Hold still and look at the middle of the screen.",
    "not_calibrated": "Calibrate: look where you are told.",
}
"""Codes of what can be missing, and the instructions for the candidate."""

CAMERA_CODES = {
    "camera.covered": "camera_covered",
    "camera.dark": "too_dark",
    "camera.bright": "too_bright",
    "camera.blurred": "out_of_focus",
    "camera.turned": "picture_turned",
}
"""Kind of camera incident to the code in ``MISSING``."""
MAX_CUT_OFF = 0.1
"""Share of the face's width or height that may lie outside the frame."""
MAX_DROPOUT = 0.4
"""Seconds for which something may be missing (a blink, a missed detection) without restarting the
steady time."""
MAX_GAP = 1.6
"""Seconds without a frame after which the steady time restarts."""
MISSING_SETTLE_TIME = 0.4
"""Seconds for which the same codes must be missing before they are shown, so that they do not
flicker."""
MAX_PROGRESS = 0.95
"""Progress shown before the candidate is ready: the baseline may take longer than the steady time."""


class Phase(StrEnum):
    """Phase of a session's enrolment."""

    OFF = "off"
    """Disabled by the policy."""
    WAITING = "waiting"
    """No frame with face detection has arrived yet."""
    CALIBRATING = "calibrating"
    READY = "ready"


def phase(policy: Policy, state: EnrolmentState) -> Phase:
    """The phase of the enrolment."""
    if not policy.enrolment.enabled:
        return Phase.OFF
    if state.started_at is None:
        return Phase.WAITING
    return Phase.CALIBRATING if state.ready_at is None else Phase.READY


def update_enrolment(
    policy: Policy,
    state: EnrolmentState,
    count: PersonCount | None,
    observation: Observation,
    *,
    calibrated: bool = False,
) -> EnrolmentState:
    """The state after ``observation``.

    Args:
        policy: the requirements.
        state: the state before.
        count: the object detector's last count of persons.
        observation: ignored if not later than the last frame.
        calibrated: whether a guided calibration was completed.
    """
    if not isinstance(observation, FrameObservation) or observation.faces is None:
        return state
    time = observation.time
    if state.ready_at is not None or (
        state.last_frame_at is not None and time <= state.last_frame_at
    ):
        return state
    missing = tuple(_missing(policy, count, observation))
    has_baseline = observation.candidate is not None and observation.candidate.baseline_ready
    gap = state.last_frame_at is None or time - state.last_frame_at > MAX_GAP + TOLERANCE
    good_at = state.good_at if missing else time
    restart = gap or good_at is None or time - good_at > MAX_DROPOUT + TOLERANCE
    steady_since = time if not missing else None
    if not restart and state.steady_since is not None:
        steady_since = state.steady_since
    if not missing and not has_baseline:
        missing = ("baseline_not_learned",)
    if not missing and policy.calibration.required and not calibrated:
        missing = ("not_calibrated",)
    steady = (
        steady_since is not None
        and time - steady_since >= policy.enrolment.min_steady_time - TOLERANCE
    )
    state = replace(
        _settle_missing(state, missing, time),
        started_at=time if state.started_at is None else state.started_at,
        last_frame_at=time,
        steady_since=steady_since,
        good_at=good_at,
    )
    if steady and not missing:
        return replace(state, ready_at=time, missing=(), pending_missing=(), pending_since=None)
    return state


def is_enrolling(policy: Policy, state: EnrolmentState, time: float) -> bool:
    """Whether the candidate is not ready at media time ``time``, and may still become so."""
    rules = policy.enrolment
    if not rules.enabled or state.ready_at is not None:
        return False
    return state.started_at is None or time - state.started_at < rules.time_limit - TOLERANCE


def is_suspended(policy: Policy, kind: str) -> bool:
    """Whether this kind of incident is not judged while the candidate enrols."""
    # A covered, frozen or moved camera can hide anything, so these kinds are always judged.
    if kind.startswith("camera.") and kind not in CAMERA_CODES.keys() - {"camera.covered"}:
        return False
    kind = ABSENT if kind == HIDDEN else kind
    return any(
        kind == family or kind.startswith(f"{family}.") for family in policy.enrolment.suspended
    )


def enrolment_readings(
    policy: Policy, state: EnrolmentState, observation: Observation
) -> Iterator[Reading]:
    """Whether the time limit to become ready has passed. Also read while no media arrives."""
    has_faces = isinstance(observation, FrameObservation) and observation.faces is not None
    if not policy.enrolment.enabled or state.started_at is None:
        return
    if not has_faces and not reports_no_frames(observation):
        return
    limit = policy.enrolment.time_limit
    held = state.ready_at is None and observation.time - state.started_at >= limit - TOLERANCE
    why = " and ".join(code.replace("_", " ") for code in state.missing) or "not steady"
    yield Reading("session.not_ready", held, 1.0, 1.0, f"not ready within {limit:.0f} s ({why})")


def progress(policy: Policy, state: EnrolmentState) -> float:
    """Progress towards ready, 0 to 1."""
    if state.ready_at is not None:
        return 1.0
    steady_time = policy.enrolment.min_steady_time
    if state.steady_since is None or state.last_frame_at is None or steady_time <= 0:
        return 0.0
    return min(MAX_PROGRESS, (state.last_frame_at - state.steady_since) / steady_time)


def _settle_missing(state: EnrolmentState, missing: tuple[str, ...], time: float) -> EnrolmentState:
    """Show the missing codes once they have been the same for ``MISSING_SETTLE_TIME``."""
    if state.last_frame_at is None:
        return replace(state, missing=missing, pending_missing=missing, pending_since=time)
    if missing != state.pending_missing or state.pending_since is None:
        return replace(state, pending_missing=missing, pending_since=time)
    if time - state.pending_since >= MISSING_SETTLE_TIME - TOLERANCE:
        return replace(state, missing=missing)
    return state


def _missing(
    policy: Policy, count: PersonCount | None, observation: FrameObservation
) -> Iterator[str]:
    """Codes of what is wrong with the picture and the position, most severe first."""
    trouble = camera_trouble(policy, observation)
    if trouble is not None:
        yield CAMERA_CODES[trouble.kind]
    elif observation.turned is not None:  # not certain yet
        yield "picture_turned"
    faces = observation.faces or ()
    if not faces:
        if trouble is None and observation.turned is None:
            yield "nobody"
        return
    persons = count.persons if count is not None else 0
    if observation.objects is not None:
        persons = len(persons_in(policy, observation.objects))
    if max(sum(face.depicted is not True for face in faces), persons) > 1:
        yield "two_persons"
    if observation.candidate is not None:
        yield from _missing_of_position(policy, observation, observation.candidate)


def _missing_of_position(
    policy: Policy, observation: FrameObservation, candidate: Candidate
) -> Iterator[str]:
    face = next((f for f in observation.faces or () if f.track == candidate.track), None)
    if face is not None:
        box = face.box
        across = max(-box.left, box.right - observation.width) / max(1.0, box.width)
        along = max(-box.top, box.bottom - observation.height) / max(1.0, box.height)
        if box.width < policy.enrolment.min_face_width:
            yield "face_too_small"
        if max(across, along) > MAX_CUT_OFF:
            yield "face_cut_off"
    head, gaze = candidate.head, candidate.gaze
    if head is not None and _is_beyond(policy.head, head.yaw, head.pitch):
        yield "face_turned_away"
    elif (
        gaze is not None
        and gaze.confidence >= policy.min_gaze_confidence
        and _is_beyond(policy.screen, gaze.yaw, gaze.pitch or 0.0)
    ):
        yield "looking_away"


def _is_beyond(limits: HeadLimits | ScreenLimits, yaw: float, pitch: float) -> bool:
    return not (-limits.right < yaw < limits.left and -limits.down < pitch < limits.up)
