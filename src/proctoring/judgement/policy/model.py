"""The policy: everything that decides what counts as suspicious in one exam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from proctoring.errors import BadPolicyError
from proctoring.incidents import LABELS
from proctoring.judgement.policy.audio import AudioLimits, TranscriptionSettings
from proctoring.judgement.policy.guidance import (
    MIN_TIME_TO_CALIBRATE,
    CalibrationSettings,
    ChallengeSettings,
    EnrolmentSettings,
)
from proctoring.judgement.policy.outline import Path
from proctoring.judgement.policy.rule import Rule
from proctoring.judgement.policy.section import Score, Section
from proctoring.judgement.policy.storage import EvidenceSettings, RecordSettings
from proctoring.judgement.policy.validation import bad_policy, unknown_name
from proctoring.judgement.policy.video import (
    CameraLimits,
    HeadLimits,
    IdentityLimits,
    LivenessLimits,
    ObjectLimits,
    ScreenLimits,
)


class Policy(Section):
    """What counts as suspicious, and what is stored. Equal policies judge equally."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """Letters, digits and ``_ . -``. Sessions are created with it; records and reports show it."""
    description: str = Field(default="", max_length=2000)
    """For people who choose among policies."""
    min_gaze_confidence: Score = 0.2
    """Gaze of lower confidence counts as unreadable."""
    one_alert_per_side: bool = False
    """``True``: when gaze and head turn to the same side, only the incident that starts first
    alerts; the other is recorded. ``False``: both alert."""
    update_interval: float = Field(default=30.0, ge=1, le=3600)
    """Seconds between two updates of an open incident."""
    screen: ScreenLimits = ScreenLimits()
    head: HeadLimits = HeadLimits()
    objects: ObjectLimits = ObjectLimits()
    audio: AudioLimits = AudioLimits()
    transcription: TranscriptionSettings = TranscriptionSettings()
    camera: CameraLimits = CameraLimits()
    liveness: LivenessLimits = LivenessLimits()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    identity: IdentityLimits = IdentityLimits()
    evidence: EvidenceSettings = EvidenceSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    challenge: ChallengeSettings = ChallengeSettings()
    records: RecordSettings = RecordSettings()
    incidents: dict[str, Rule]

    @model_validator(mode="after")
    def _calibration_is_possible(self) -> Self:
        if self.calibration.required and not self.calibration.max_attempts:
            raise ValueError("calibration.required needs calibration.max_attempts")
        if self.calibration.required and self.enrolment.time_limit < MIN_TIME_TO_CALIBRATE:
            raise ValueError(
                f"calibration.required needs an enrolment.time_limit of {MIN_TIME_TO_CALIBRATE:.0f}"
            )
        return self

    @model_validator(mode="after")
    def _transcription_is_on_where_needed(self) -> Self:
        engine = self.transcription.engine
        if self.audio.phrases and engine == "off":
            raise ValueError("audio.phrases are never heard while transcription.engine is off")
        if self.audio.diarization == "deepgram" and engine != "deepgram":
            raise ValueError('audio.diarization "deepgram" needs transcription.engine "deepgram"')
        return self

    def with_accommodations(self, accommodations: Mapping[str, Any]) -> Policy:
        """This policy changed for one candidate.

        Args:
            accommodations: kind of incident or section (``screen``, ``liveness``, ...) to the
                settings that differ, as in ``{"gaze.left": {"persist": 5}, "screen": {"down": 30}}``.

        Raises:
            BadPolicyError: a setting is unknown or invalid; the message has its path.
        """
        settings = self.model_dump(mode="json", exclude_none=True)
        for key, changes in accommodations.items():
            if key in settings["incidents"]:
                target = settings["incidents"]
            elif key in _SECTIONS:
                target = settings
            else:
                raise BadPolicyError(unknown_name("accommodations", key, (*_SECTIONS, *LABELS)))
            if not isinstance(changes, Mapping):
                raise BadPolicyError(f"accommodations: {key}: expected a table of settings")
            target[key] = {**target[key], **changes}
        return validate_policy(settings, "accommodations")

    def unattended(self) -> Policy:
        """This policy for a recording, whose candidate cannot be asked to do anything."""
        return self.model_copy(
            update={
                "calibration": self.calibration.model_copy(update={"required": False}),
                "challenge": self.challenge.model_copy(update={"enabled": False}),
            }
        )

    def to_toml(self) -> str:
        """The policy, defaults included, as TOML that ``parse_policy`` accepts."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def validate_policy(
    settings: Mapping[str, Any],
    source: str,
    lines: Mapping[Path, int] | None = None,
    before: Sequence[tuple[Path, str]] = (),
) -> Policy:
    """The policy with these settings; the other arguments are those of ``bad_policy``.

    Raises:
        BadPolicyError: a setting is unknown or invalid; the message has its path.
    """
    try:
        return Policy.model_validate(settings)
    except ValidationError as error:
        raise bad_policy(error, source, lines, before) from error


_SECTIONS = (
    "screen",
    "head",
    "objects",
    "liveness",
    "identity",
    "audio",
    "transcription",
    "camera",
    "enrolment",
    "calibration",
    "challenge",
    "records",
)
"""Sections that accommodations may change: all but ``evidence``."""
