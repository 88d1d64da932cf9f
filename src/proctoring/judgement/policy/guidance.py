"""Sections of a policy about what candidates are asked to do: enrolment, calibration, challenges."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proctoring.judgement.policy.section import Section

MIN_TIME_TO_CALIBRATE = 60.0
"""Seconds that ``enrolment.time_limit`` must have at least if the six steps of a calibration are
required within it."""

Action = Literal["turn_left", "turn_right", "blink_twice", "move_closer"]


class EnrolmentSettings(Section):
    """The start of a session, in which the candidate is guided into a good position."""

    enabled: bool = True
    """``False``: everything is judged from the first frame, and the candidate gets no guidance."""
    min_steady_time: float = Field(default=1.0, ge=0, le=30, allow_inf_nan=False)
    """Seconds for which the position must be good. The baseline of the eyes takes 1.5 s to learn, so
    up to that value a well-seated candidate is not delayed."""
    time_limit: float = Field(default=15.0, ge=1, le=300, allow_inf_nan=False)
    """Seconds of media time since the first frame after which everything is judged anyway and
    ``session.not_ready`` starts. Raising it gives everyone more time, cheaters included."""
    min_face_width: float = Field(default=80.0, ge=20, le=1000, allow_inf_nan=False)
    """Required face width in pixels: below 80 the eyes are not read."""
    suspended: tuple[Literal["gaze", "head", "face.absent", "camera"], ...] = ("gaze", "head")
    """Families that are not judged until the candidate is ready, for at most ``time_limit``. All
    others are judged from the first frame."""


class CalibrationSettings(Section):
    """The guided calibration, in which the candidate looks at the corners of the screen."""

    required: bool = False
    """``True``: a candidate is not ready without one."""
    max_attempts: int = Field(default=3, ge=0, le=20)
    """How often a session may be calibrated, failed attempts included; gaze and head are not judged
    meanwhile. 0: never."""
    step_time_limit: float = Field(default=8.0, ge=3, le=60, allow_inf_nan=False)
    """Seconds for each step."""
    max_widening: float = Field(default=10.0, ge=0, le=45, allow_inf_nan=False)
    """Degrees by which a side of the screen may exceed ``[screen]``. Raising it supports larger
    screens, and lets a candidate have more accepted as screen."""
    max_narrowing: float = Field(default=4.0, ge=0, le=45, allow_inf_nan=False)
    """Degrees by which left and right may fall below ``[screen]``, but never below 10."""


class ChallengeSettings(Section):
    """Challenges: movements that a candidate is asked for at unpredictable times."""

    enabled: bool = False
    """``True``: challenges are made automatically. On request they can always be made."""
    mean_interval: float = Field(default=600.0, ge=30, le=86_400, allow_inf_nan=False)
    """Mean seconds between two challenges; each interval is between half and one and a half times
    as long."""
    time_limit: float = Field(default=8.0, ge=3, le=60, allow_inf_nan=False)
    """Seconds for a movement. Raising it is easier on slow people, and on prepared attacks."""
    max_attempts: int = Field(default=2, ge=1, le=5)
    """Movements that may fail in a row before an incident starts: people confuse left and right."""
    actions: tuple[Action, ...] = Field(
        default=("turn_left", "turn_right", "blink_twice", "move_closer"), min_length=1
    )
    """Movements to draw from at random. Leave out those that a candidate cannot perform."""
