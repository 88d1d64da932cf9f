"""What judgement remembers between two observations: plain values that JSON can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from proctoring.judgement.lips import LipsState
from proctoring.judgement.movements import Movement


@dataclass(frozen=True, slots=True)
class Sample:
    """One observation of a condition while it is not yet an incident."""

    time: float
    held: bool
    """``False`` also for what could not be read."""
    confidence: float
    value: float


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that has started and not ended."""

    number: int
    started_at: float
    held_at: float
    """Media time of the last observation that held."""
    held: int
    """Number of observations that held."""
    confidence_sum: float
    value_sum: float
    strongest: float
    text: str
    """What was measured, in the words of the strongest observation; ``{}`` is the mean value."""
    alerted: bool
    reported_at: float
    unread: str = ""
    """Why the condition could not be read in the last observation; empty when it could."""


@dataclass(frozen=True, slots=True)
class KindState:
    """Where one kind of incident stands."""

    read_at: float
    """Media time of the last reading, whatever it said."""
    samples: tuple[Sample, ...] = ()
    """Pending: observations since the condition began to hold, no older than its rule needs."""
    gone: float = 0.0
    """Seconds, or looks, for which the condition was seen to be gone since it last held."""
    incident: OpenIncident | None = None
    quiet_until: float | None = None


@dataclass(frozen=True, slots=True)
class PersonsLook:
    """The object detector's last count of persons: it stands until the next look."""

    time: float
    persons: int
    """Faces in pictures and on screens not counted."""
    before: int = 0
    """What the look before it counted."""
    with_face: bool = False
    """Whether a face was seen in the very frame that was looked at."""
    far_since: float | None = None
    """Since when every look saw somebody small in the background."""


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """How far a candidate has come into a position to be judged in. Ready once is ready for good."""

    began_at: float | None = None
    """Media time of the first look for faces."""
    looked_at: float | None = None
    steady_since: float | None = None
    """Since when nothing is wrong with the position."""
    good_at: float | None = None
    """When nothing was wrong with it, last."""
    ready_at: float | None = None
    missing: tuple[str, ...] = ()
    """Codes of what is missing, once they have settled (keys of ``MISSING``)."""
    seen_missing: tuple[str, ...] = ()
    """What the last looks found missing, since ``seen_since``: told when it lasts."""
    seen_since: float | None = None


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """The session's challenges."""

    seed: str = ""
    """What chance goes by; must not be known to the candidate."""
    asked: int = 0
    """Movements asked for so far."""
    next_at: float | None = None
    """When the next one is due by itself."""
    attempt: int = 0
    """Which of the policy's attempts runs, from 1."""
    movement: Movement | None = None
    """What runs now."""
    ended_at: float | None = None
    """When the last challenge ended."""
    outcome: str = ""
    """``passed``, ``failed``, or ``again``: a movement failed and another is asked for."""
    reason: str = ""
    """Why the last movement failed."""
    failed_at: float | None = None
    """When a challenge failed as a whole, last."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a candidate's own screen reaches from the middle of the gaze, in degrees."""

    left: float
    right: float
    up: float
    down: float


@dataclass(frozen=True, slots=True)
class GazeSample:
    """Where the candidate looked in one frame of a calibration, in degrees."""

    time: float
    yaw: float
    pitch: float | None


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """The session's guided calibration."""

    attempts: int = 0
    """Begun so far."""
    step: str = ""
    """Which step runs (a key of ``STEPS``); empty: none."""
    step_at: float = 0.0
    samples: tuple[GazeSample, ...] = ()
    """The last looks of this step."""
    movement: Movement | None = None
    """The turn of the head that this step asks for."""
    corners: tuple[GazeSample, ...] = ()
    """What was learned at each corner so far, in the order of the steps."""
    ended_at: float | None = None
    outcome: str = ""
    """``done`` or ``failed``."""
    reason: str = ""
    reach: Reach | None = None
    """What was learned; stays when a later calibration fails."""


@dataclass(frozen=True, slots=True)
class JudgementState:
    """Everything that judgement knows about one session. Never changed, only replaced."""

    time: float | None = None
    """The latest media time seen."""
    incidents: int = 0
    """Number of incidents so far."""
    look: PersonsLook | None = None
    kinds: Mapping[str, KindState] = field(default_factory=dict)
    """Only kinds that were read at least once."""
    enrolment: EnrolmentState = EnrolmentState()
    calibration: CalibrationState = field(default_factory=CalibrationState)
    challenge: ChallengeState = field(default_factory=ChallengeState)
    lips: LipsState = field(default_factory=LipsState)


def initial_state(seed: str = "") -> JudgementState:
    """The state of a session of which nothing was seen yet; challenges are drawn from ``seed``."""
    return JudgementState(challenge=ChallengeState(seed))


_ADAPTER = TypeAdapter(JudgementState)


def state_to_json(state: JudgementState) -> str:
    """The state as JSON text; floats survive exactly."""
    return _ADAPTER.dump_json(state).decode()


def state_from_json(text: str | bytes) -> JudgementState:
    """The state that ``state_to_json`` wrote.

    Raises:
        ValueError: the text is not such a state.
    """
    return _ADAPTER.validate_json(text)
