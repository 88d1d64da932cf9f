"""The policy: what counts as suspicious in one exam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import tomli_w
from pydantic import Field, ValidationError, model_validator

from proctoring.errors import BadPolicyError
from proctoring.incidents import LABELS
from proctoring.judgement.policy.audio import Sound, Transcription
from proctoring.judgement.policy.guidance import (
    LEAST_LIMIT_TO_CALIBRATE,
    Calibration,
    Challenge,
    Enrolment,
)
from proctoring.judgement.policy.rule import Rule
from proctoring.judgement.policy.section import Score, Section
from proctoring.judgement.policy.storage import EvidenceWanted, Records
from proctoring.judgement.policy.validation import bad_policy, unknown_name
from proctoring.judgement.policy.video import (
    Camera,
    Head,
    IdentityLimits,
    LivenessLimits,
    Objects,
    Screen,
)


class Policy(Section):
    """Everything judgement goes by. Equal policies judge equally."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = Field(default="", max_length=2000)
    gaze_confidence: Score = 0.2
    """Gaze that is read with less confidence than this counts as not readable."""
    one_alert_per_side: bool = False
    """``True``: when gaze and head leave to the same side, only the one that starts first alerts;
    the other is recorded. ``False``: each alerts, as the contract's table has it."""
    update_every: float = Field(default=30.0, ge=1, le=3600)
    """Seconds between two reports about an incident that goes on."""
    screen: Screen = Screen()
    head: Head = Head()
    objects: Objects = Objects()
    sound: Sound = Sound()
    transcription: Transcription = Transcription()
    camera: Camera = Camera()
    liveness: LivenessLimits = LivenessLimits()
    enrolment: Enrolment = Enrolment()
    identity: IdentityLimits = IdentityLimits()
    evidence: EvidenceWanted = EvidenceWanted()
    calibration: Calibration = Calibration()
    challenge: Challenge = Challenge()
    records: Records = Records()
    incidents: dict[str, Rule]

    @model_validator(mode="after")
    def _time_to_calibrate(self) -> Self:
        if self.calibration.required and not self.calibration.attempts:
            raise ValueError("calibration.required needs calibration.attempts")
        if self.calibration.required and self.enrolment.limit < LEAST_LIMIT_TO_CALIBRATE:
            raise ValueError(
                f"calibration.required needs an enrolment.limit of {LEAST_LIMIT_TO_CALIBRATE:.0f}"
            )
        return self

    @model_validator(mode="after")
    def _words_where_they_are_needed(self) -> Self:
        engine = self.transcription.engine
        if self.sound.phrases and engine == "off":
            raise ValueError("sound.phrases are never heard while transcription.engine is off")
        if self.sound.speakers == "deepgram" and engine != "deepgram":
            raise ValueError('sound.speakers "deepgram" needs transcription.engine "deepgram"')
        return self

    def with_accommodations(self, accommodations: Mapping[str, Any]) -> Policy:
        """This policy changed for one candidate.

        Args:
            accommodations: kind of incident or section (``screen``, ``liveness``, ...) to the
                settings that differ, as in ``{"gaze.left": {"persist": 5}, "screen": {"down": 30}}``.

        Raises:
            BadPolicyError: naming the path of what is unknown or impossible.
        """
        settings = self.model_dump(mode="json", exclude_none=True)
        for key, changes in accommodations.items():
            if key in settings["incidents"]:
                target = settings["incidents"]
            elif key in _SECTIONS:
                target = settings
            else:
                raise BadPolicyError(unknown_name("accommodations", key, _ACCOMMODATED))
            if not isinstance(changes, Mapping):
                raise BadPolicyError(f"accommodations: {key}: expected a table of settings")
            target[key] = {**target[key], **changes}
        return validated(settings, "accommodations")

    def unattended(self) -> Policy:
        """This policy for a recording, whose candidate cannot be asked for anything any more."""
        return self.model_copy(
            update={
                "calibration": self.calibration.model_copy(update={"required": False}),
                "challenge": self.challenge.model_copy(update={"enabled": False}),
            }
        )

    def to_toml(self) -> str:
        """The whole policy, defaults included, as a file that ``parse_policy`` reads."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def validated(settings: Mapping[str, Any], source: str) -> Policy:
    """The policy with these settings.

    Raises:
        BadPolicyError: naming ``source`` and the path of what is unknown or impossible.
    """
    try:
        return Policy.model_validate(settings)
    except ValidationError as error:
        raise bad_policy(error, source) from error


_ASKING = ("enrolment", "calibration", "challenge")
_SECTIONS = (
    "screen",
    "head",
    "objects",
    "liveness",
    "identity",
    "sound",
    "transcription",
    "camera",
    *_ASKING,
    "records",
)
_ACCOMMODATED = (*_SECTIONS, *LABELS)
