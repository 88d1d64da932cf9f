"""A session's first seconds: the candidate is helped into a position that can be judged.

A session is *calibrating* until nothing has been missing for ``min_steady_time`` and there is something to
judge head and gaze by; then it is *ready*, for good: nobody can go back to calibrating by hiding.
What depends on the position (``suspended``) is not judged before. The time for that is counted from
the first picture and never begins anew: at ``time_limit`` everything is judged, ready or not, and a
session that is not ready is itself an incident until it is. Phones, other persons, voices, spoofs
and a lost connection are judged from the first picture on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from proctoring.judgement.camera import camera_trouble
from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.video import HeadLimits, ScreenLimits
from proctoring.judgement.presence import ABSENT, HIDDEN, persons_in
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import EnrolmentState, PersonsLook
from proctoring.judgement.times import TOLERANCE
from proctoring.observations import Candidate, ConnectionObservation, FrameObservation, Observation

MISSING: dict[str, str] = {
    "camera_covered": "The camera shows nothing: uncover it.",
    "too_dark": "It is too dark: switch on a light in front of you.",
    "too_bright": "The picture is burnt out: turn the camera away from the light.",
    "out_of_focus": "The picture is out of focus: clean the camera.",
    "nobody": "Nobody is in the picture: sit down in front of the camera.",
    "two_persons": "Somebody else is in the picture: only you may be.",
    "face_too_small": "Your face is too small: move closer to the camera.",
    "face_cut_off": "Your face is cut off: move into the middle of the picture.",
    "face_turned_away": "Your head is turned away: face the screen.",
    "looking_away": "You look away: look at the middle of the screen.",
    "baseline_not_learned": "Hold still and look at the middle of the screen.",
    "not_calibrated": "Calibrate: look where you are told.",
}
"""What can be missing: its code, and what a candidate is told."""

_TROUBLES = {
    "camera.covered": "camera_covered",
    "camera.dark": "too_dark",
    "camera.bright": "too_bright",
    "camera.blurred": "out_of_focus",
}
_CUT_OFF = 0.1
"""Share of the face's width or height beyond the picture's edge."""
_GAP = 0.4
"""Seconds of something missing (a blink, one lost detection) that do not make it begin anew."""
_HOLE = 1.6
"""Seconds without any look after which it does."""
_SETTLED = 0.4
"""Seconds for which the same must be missing before that is told."""


class Phase(StrEnum):
    """Where the enrolment of a session stands."""

    OFF = "off"
    """The policy asks for none."""
    WAITING = "waiting"
    """No picture in which faces were looked for has come yet."""
    CALIBRATING = "calibrating"
    READY = "ready"


def phase(policy: Policy, state: EnrolmentState) -> Phase:
    """Where the enrolment stands."""
    if not policy.enrolment.enabled:
        return Phase.OFF
    if state.began_at is None:
        return Phase.WAITING
    return Phase.CALIBRATING if state.ready_at is None else Phase.READY


def enrol(
    policy: Policy,
    state: EnrolmentState,
    look: PersonsLook | None,
    observation: Observation,
    *,
    calibrated: bool = False,
) -> EnrolmentState:
    """What ``observation`` changes. Equal arguments always give equal results.

    Args:
        policy: how good a position must be.
        state: where the session stands.
        look: the object detector's standing count of persons.
        observation: what was seen; one not later than the last look changes nothing.
        calibrated: whether a guided calibration was completed.
    """
    if not isinstance(observation, FrameObservation) or observation.faces is None:
        return state
    time = observation.time
    if state.ready_at is not None or (state.looked_at is not None and time <= state.looked_at):
        return state
    troubles = tuple(_troubles(policy, look, observation))
    learned = observation.candidate is not None and observation.candidate.learned
    hole = state.looked_at is None or time - state.looked_at > _HOLE + TOLERANCE
    good_at = state.good_at if troubles else time
    broken = hole or good_at is None or time - good_at > _GAP + TOLERANCE
    steady_since = time if not troubles else None
    if not broken and state.steady_since is not None:
        steady_since = state.steady_since
    if not troubles and not learned:
        troubles = ("baseline_not_learned",)
    if not troubles and policy.calibration.required and not calibrated:
        troubles = ("not_calibrated",)
    steady = (
        steady_since is not None
        and time - steady_since >= policy.enrolment.min_steady_time - TOLERANCE
    )
    state = replace(
        _told(state, troubles, time),
        began_at=time if state.began_at is None else state.began_at,
        looked_at=time,
        steady_since=steady_since,
        good_at=good_at,
    )
    if steady and not troubles:
        return replace(state, ready_at=time, missing=(), seen_missing=(), seen_since=None)
    return state


def withholds(policy: Policy, state: EnrolmentState, kind: str, time: float) -> bool:
    """Whether this kind of incident is not judged yet at media time ``time``."""
    rules = policy.enrolment
    if not rules.enabled or state.ready_at is not None:
        return False
    if state.began_at is not None and time - state.began_at >= rules.time_limit - TOLERANCE:
        return False
    # A covered or frozen camera is no matter of a good position: it hides what happens meanwhile.
    if kind.startswith("camera.") and kind not in _TROUBLES.keys() - {"camera.covered"}:
        return False
    # Somebody is there whose face is not seen: absence, told more gently.
    kind = ABSENT if kind == HIDDEN else kind
    return any(kind == family or kind.startswith(f"{family}.") for family in rules.suspended)


def not_ready(policy: Policy, state: EnrolmentState, observation: Observation) -> Iterator[Reading]:
    """Whether the time to become ready is over; also read while no media arrives."""
    looks = isinstance(observation, FrameObservation) and observation.faces is not None
    if not policy.enrolment.enabled or state.began_at is None:
        return
    if not looks and not isinstance(observation, ConnectionObservation):
        return
    limit = policy.enrolment.time_limit
    held = state.ready_at is None and observation.time - state.began_at >= limit - TOLERANCE
    why = " and ".join(code.replace("_", " ") for code in state.missing) or "not steady"
    yield Reading("session.not_ready", held, 1.0, 1.0, f"not ready within {limit:.0f} s ({why})")


def progress(policy: Policy, state: EnrolmentState) -> float:
    """How much of the steady time is over, 0 to 1."""
    if state.ready_at is not None:
        return 1.0
    if (
        state.steady_since is None
        or state.looked_at is None
        or policy.enrolment.min_steady_time <= 0
    ):
        return 0.0
    # Not all of it before ready: the baseline may take longer.
    return min(0.95, (state.looked_at - state.steady_since) / policy.enrolment.min_steady_time)


def _told(state: EnrolmentState, missing: tuple[str, ...], time: float) -> EnrolmentState:
    """What is missing, without the flicker of single frames."""
    if state.looked_at is None:
        return replace(state, missing=missing, seen_missing=missing, seen_since=time)
    if missing != state.seen_missing or state.seen_since is None:
        return replace(state, seen_missing=missing, seen_since=time)
    if time - state.seen_since >= _SETTLED - TOLERANCE:
        return replace(state, missing=missing)
    return state


def _troubles(
    policy: Policy, look: PersonsLook | None, observation: FrameObservation
) -> Iterator[str]:
    """What is wrong with the picture and the position, gravest first."""
    trouble = camera_trouble(policy, observation)
    if trouble is not None:
        yield _TROUBLES[trouble.kind]
    faces = observation.faces or ()
    if not faces:
        if trouble is None:
            yield "nobody"
        return
    persons = look.persons if look is not None else 0
    if observation.objects is not None:
        persons = len(persons_in(policy, observation.objects))
    if max(sum(face.picture is not True for face in faces), persons) > 1:
        yield "two_persons"
    if observation.candidate is not None:
        yield from _position(policy, observation, observation.candidate)


def _position(policy: Policy, observation: FrameObservation, candidate: Candidate) -> Iterator[str]:
    """What is wrong with where the candidate sits and looks."""
    face = next((f for f in observation.faces or () if f.track == candidate.track), None)
    if face is not None:
        box = face.box
        across = max(-box.left, box.right - observation.width) / max(1.0, box.width)
        along = max(-box.top, box.bottom - observation.height) / max(1.0, box.height)
        if box.width < policy.enrolment.min_face_width:
            yield "face_too_small"
        if max(across, along) > _CUT_OFF:
            yield "face_cut_off"
    head, gaze = candidate.head, candidate.gaze
    if head is not None and _beyond(policy.head, head.yaw, head.pitch):
        yield "face_turned_away"
    elif (
        gaze is not None
        and gaze.confidence >= policy.min_gaze_confidence
        and _beyond(policy.screen, gaze.yaw, gaze.pitch or 0.0)
    ):
        yield "looking_away"


def _beyond(limits: HeadLimits | ScreenLimits, yaw: float, pitch: float) -> bool:
    return not (-limits.right < yaw < limits.left and -limits.down < pitch < limits.up)
