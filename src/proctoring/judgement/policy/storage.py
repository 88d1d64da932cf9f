"""Sections of a policy about what is stored: evidence and records."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from proctoring.incidents import LABELS
from proctoring.judgement.policy.section import Section
from proctoring.judgement.policy.validation import unknown_name


class EvidenceSettings(Section):
    """Which media of incidents is stored. By default none.

    Kinds are given one by one (``object.phone``), by family (``gaze.*``), or all at once (``*``).
    """

    stills: tuple[str, ...] = Field(default=(), max_length=100)
    """Kinds of which the frame is stored that started the incident."""
    clips: tuple[str, ...] = Field(default=(), max_length=100)
    """Kinds of which a clip is stored. If there are any, the last seconds of every session are
    buffered in memory."""
    seconds_before: float = Field(default=5.0, ge=0, le=30)
    """Seconds of the clip before the incident's condition began to hold."""
    seconds_after: float = Field(default=5.0, ge=0, le=30)
    """Seconds of the clip after the incident was reported."""
    audio: bool = False
    """Whether clips contain audio."""
    blur_bystanders: bool = True
    """Whether everyone but the candidate is blurred."""
    max_items: int = Field(default=100, ge=0, le=10_000)
    """Maximum number of stills and clips per session; later ones are not stored."""

    @field_validator("stills", "clips")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if not any(_matches(kind, known) for known in LABELS):
                raise ValueError(unknown_name("evidence", kind, ("*", *LABELS)))
        return kinds

    def wants_still(self, kind: str) -> bool:
        """Whether a still of an incident of this kind is stored."""
        return any(_matches(pattern, kind) for pattern in self.stills)

    def wants_clip(self, kind: str) -> bool:
        """Whether a clip of an incident of this kind is stored."""
        return any(_matches(pattern, kind) for pattern in self.clips)


def _matches(pattern: str, kind: str) -> bool:
    """Whether ``pattern`` is the kind, its family (``gaze.*``) or everything (``*``)."""
    return pattern in ("*", kind) or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


class RecordSettings(Section):
    """What is recorded of a session, and for how long. Media is not part of it (see ``evidence``)."""

    retention_days: float = Field(default=180.0, gt=0, le=36_500, allow_inf_nan=False)
    """Days after the end of a session until its records are erased. Only the fact of the erasure
    remains."""
    signals: bool = True
    """Whether observations (numbers, no media) are recorded, to plot them and to judge again."""
    signal_retention_days: float = Field(default=90.0, gt=0, le=36_500, allow_inf_nan=False)
    """Days after the end of a session until its observations are erased."""
    transcripts: bool = False
    """Whether transcripts are recorded too. ``False``: judging again finds no phrases."""
    failover: Literal["full", "no_biometrics", "off"] = "full"
    """What is kept of an open session, encrypted, so that it continues when its server dies or is
    restarted; deleted when the session ends. ``no_biometrics``: without embeddings of face and voices,
    which are then learned anew. ``off``: nothing; the session is interrupted."""
