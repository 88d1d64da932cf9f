"""What a policy says about what candidates are asked to do: a good position, a calibration, movements."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proctoring.judgement.policy.section import Section

LEAST_LIMIT_TO_CALIBRATE = 60.0
"""Seconds to become ready within, where a calibration of six steps is part of it."""

Action = Literal["turn_left", "turn_right", "blink_twice", "move_closer"]


class Enrolment(Section):
    """How a session begins: the candidate is helped into a good position (``enrolment.py``)."""

    enabled: bool = True
    """``False``: judged from the first picture on, and nothing is said about the position."""
    seconds: float = Field(default=1.0, ge=0, le=30, allow_inf_nan=False)
    """For so long nothing may be wrong. The baseline of the eyes takes 1.5 s to learn anyway, so up to
    there nobody who sits well is judged later than could be read."""
    limit: float = Field(default=15.0, ge=1, le=300, allow_inf_nan=False)
    """Seconds of media since the first picture after which everything is judged all the same, and
    ``session.not_ready`` starts. Raising it gives more time, to honest people and to others."""
    face_pixels: float = Field(default=80.0, ge=20, le=1000, allow_inf_nan=False)
    """Face width that is asked for: below 80 the eyes are not read at all."""
    withhold: tuple[Literal["gaze", "head", "face.absent", "camera"], ...] = ("gaze", "head")
    """What is not judged until ready, at most ``limit`` seconds. Everything else always is."""


class Calibration(Section):
    """The guided calibration (``calibration.py``): how far it may go."""

    required: bool = False
    """``True``: nobody is ready without."""
    attempts: int = Field(default=3, ge=0, le=20)
    """How often a session may be calibrated, failed ones included; gaze and head are not judged
    meanwhile. 0: never."""
    step_limit: float = Field(default=8.0, ge=3, le=60, allow_inf_nan=False)
    """Seconds for each step."""
    widen: float = Field(default=10.0, ge=0, le=45, allow_inf_nan=False)
    """Degrees by which a side of the screen may reach further than ``[screen]`` says. Raising it
    serves large screens, and lets a candidate teach that more is screen."""
    narrow: float = Field(default=4.0, ge=0, le=45, allow_inf_nan=False)
    """Degrees by which left and right may reach less far, never below 10."""


class Challenge(Section):
    """Movements that candidates are asked for at times that nobody knows (``challenge.py``)."""

    enabled: bool = False
    """``True``: asked for by themselves; on request they can always be."""
    every: float = Field(default=600.0, ge=30, le=86_400, allow_inf_nan=False)
    """Mean seconds between two; each comes after half of it to one and a half times as long."""
    limit: float = Field(default=8.0, ge=3, le=60, allow_inf_nan=False)
    """Seconds to make a movement in. Raising it spares slow people, and helps those who prepare."""
    attempts: int = Field(default=2, ge=1, le=5)
    """Movements that may fail in a row before it is an incident: people confuse left and right."""
    actions: tuple[Action, ...] = Field(
        default=("turn_left", "turn_right", "blink_twice", "move_closer"), min_length=1
    )
    """What is asked for, drawn by chance. Leave out what a candidate cannot do."""
