"""The state of judgement between two inputs: plain immutable values that JSON can represent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter

from proctoring.judgement.lips import LipsState
from proctoring.judgement.movements import Movement
from proctoring.observations import UnanalysedFrames


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of a condition that is not an incident yet."""

    time: float
    held: bool
    """``False`` also if unreadable."""
    confidence: float
    value: float


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that has started and not ended."""

    number: int
    started_at: float
    held_at: float
    """Media time of the last reading that held."""
    held_count: int
    """Number of readings that held."""
    confidence_sum: float
    value_sum: float
    max_value: float
    text: str
    """What was measured, from the reading with ``max_value``; ``{}`` stands for the mean value."""
    alerted: bool
    reported_at: float
    """Media time of the last published change."""
    unreadable: str = ""
    """Why the last reading was unreadable; empty if it was readable."""
    outage: float = 0.0
    """Seconds since ``held_at`` in which no server process ran: nothing could be read."""


@dataclass(frozen=True, slots=True)
class KindState:
    """State of one kind of incident."""

    read_at: float
    """Media time of the last reading."""
    samples: tuple[Sample, ...] = ()
    """Pending readings: those since the condition began to hold that can still start an incident."""
    absent: float = 0.0
    """Seconds, or number of readings, for which the condition has been absent since it last held."""
    incident: OpenIncident | None = None
    cooldown_until: float | None = None


@dataclass(frozen=True, slots=True)
class PersonCount:
    """The object detector's last count of persons. Valid until the next one, or until too old."""

    time: float
    persons: int
    """Without faces in pictures and on screens."""
    previous: int = 0
    """The count before this one."""
    with_face: bool = False
    """Whether a face was found in the same frame."""
    background_since: float | None = None
    """Media time since which every count included a person in the background."""


@dataclass(frozen=True, slots=True)
class EnrolmentState:
    """How close the candidate is to being ready. Once ready, a candidate stays ready."""

    started_at: float | None = None
    """Media time of the first frame in which faces were detected or absent."""
    last_frame_at: float | None = None
    steady_since: float | None = None
    """Since when the position has been good."""
    good_at: float | None = None
    """When the position was last good."""
    ready_at: float | None = None
    missing: tuple[str, ...] = ()
    """Codes (keys of ``MISSING``) of what is missing, as shown to the candidate."""
    pending_missing: tuple[str, ...] = ()
    """Codes found in the last frames, since ``pending_since``; shown once they have lasted."""
    pending_since: float | None = None


@dataclass(frozen=True, slots=True)
class ChallengeState:
    """State of the session's challenges."""

    seed: str = ""
    """Source of randomness; must not be known to the candidate."""
    count: int = 0
    """Movements requested so far."""
    next_at: float | None = None
    """When the next automatic challenge is due."""
    attempt: int = 0
    """The attempt in progress, from 1 to the policy's ``max_attempts``."""
    movement: Movement | None = None
    """The movement in progress."""
    ended_at: float | None = None
    """When the last challenge ended."""
    outcome: str = ""
    """``passed``, ``failed``, or ``again``: a movement failed and another one is requested."""
    reason: str = ""
    """Why the last movement failed."""
    failed_at: float | None = None
    """When a challenge last failed."""


@dataclass(frozen=True, slots=True)
class ScreenExtent:
    """Measured extent of a candidate's screen from the centre of the gaze, in degrees."""

    left: float
    right: float
    up: float
    down: float


@dataclass(frozen=True, slots=True)
class GazeSample:
    """Gaze in one frame of a calibration, in degrees."""

    time: float
    yaw: float
    pitch: float | None


@dataclass(frozen=True, slots=True)
class CalibrationState:
    """State of the session's guided calibration."""

    attempts: int = 0
    """Calibrations started so far."""
    step: str = ""
    """The step in progress, a key of ``calibration.STEPS``; empty: none."""
    step_at: float = 0.0
    """When the step started."""
    extra_time: float = 0.0
    """Seconds of this step without an analysis, by which its time limit is extended."""
    samples: tuple[GazeSample, ...] = ()
    """Gaze in the last frames of this step."""
    movement: Movement | None = None
    """The head turn that this step asks for."""
    corners: tuple[GazeSample, ...] = ()
    """Gaze at each corner so far, in the order of the steps."""
    ended_at: float | None = None
    outcome: str = ""
    """``done`` or ``failed``."""
    reason: str = ""
    """Why it failed."""
    extent: ScreenExtent | None = None
    """The result; kept if a later calibration fails."""


@dataclass(frozen=True, slots=True)
class JudgementState:
    """Everything that judgement knows about a session."""

    time: float | None = None
    """The latest media time of any observation."""
    incidents: int = 0
    """Number of incidents so far."""
    person_count: PersonCount | None = None
    kinds: Mapping[str, KindState] = field(default_factory=dict)
    """Only kinds with at least one reading."""
    enrolment: EnrolmentState = EnrolmentState()
    calibration: CalibrationState = field(default_factory=CalibrationState)
    challenge: ChallengeState = field(default_factory=ChallengeState)
    lips: LipsState = field(default_factory=LipsState)
    unanalysed: UnanalysedFrames | None = None
    """Frames that have arrived and were not analysed; ``None``: the last ones were."""
    paused_until: float | None = None
    """Up to when time without an analysis has been added to time limits."""
    heard_until: float = 0.0
    """Media time up to which sound has been judged, for whoever continues the session."""
    transcribed_until: float = 0.0
    """End of the last final transcript, likewise."""


def initial_state(seed: str = "") -> JudgementState:
    """The state of a new session; challenges are drawn from ``seed``."""
    return JudgementState(challenge=ChallengeState(seed))


_ADAPTER = TypeAdapter(JudgementState)


def state_to_json(state: JudgementState) -> str:
    """The state as JSON text; floats are preserved exactly."""
    return _ADAPTER.dump_json(state).decode()


def state_from_json(text: str | bytes) -> JudgementState:
    """The state that ``state_to_json`` encoded.

    Raises:
        ValueError: ``text`` is not such a state.
    """
    return _ADAPTER.validate_json(text)
