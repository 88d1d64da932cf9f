"""Sections of a policy about what is stored: evidence and records."""

from __future__ import annotations

from pydantic import Field, field_validator

from proctoring.incidents import LABELS
from proctoring.judgement.policy.section import Section
from proctoring.judgement.policy.validation import unknown_name


class EvidenceWanted(Section):
    """What is kept of the media of an incident. By default nothing is.

    Kinds are named one by one (``object.phone``), by family (``gaze.*``), or all at once (``*``).
    """

    stills: tuple[str, ...] = Field(default=(), max_length=100)
    """Kinds of which the picture is kept that made the incident start."""
    clips: tuple[str, ...] = Field(default=(), max_length=100)
    """Kinds of which a clip is kept. Any kind here means that the last seconds of every session
    are held in memory."""
    before: float = Field(default=5.0, ge=0, le=30)
    """Seconds of the clip before the moment from which on the incident's condition held."""
    after: float = Field(default=5.0, ge=0, le=30)
    """Seconds of the clip after the moment at which the incident was told."""
    sound: bool = False
    """Whether clips have the sound too."""
    blur_bystanders: bool = True
    """Whether everybody but the candidate is made unrecognisable."""
    most: int = Field(default=100, ge=0, le=10_000)
    """Pieces of evidence kept of one session; of what comes after, nothing is."""

    @field_validator("stills", "clips")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            if not any(_names(kind, known) for known in LABELS):
                raise ValueError(unknown_name("evidence", kind, ("*", *LABELS)))
        return kinds

    def wants_still(self, kind: str) -> bool:
        """Whether a picture is to be kept of an incident of this kind."""
        return any(_names(wanted, kind) for wanted in self.stills)

    def wants_clip(self, kind: str) -> bool:
        """Whether a clip is to be kept of an incident of this kind."""
        return any(_names(wanted, kind) for wanted in self.clips)


def _names(pattern: str, kind: str) -> bool:
    """Whether ``pattern`` is the kind, its family (``gaze.*``) or everything (``*``)."""
    return pattern in ("*", kind) or (pattern.endswith(".*") and kind.startswith(pattern[:-1]))


class Records(Section):
    """What is kept of a session, and for how long: pictures and sound are not in it (``evidence``)."""

    keep_days: float = Field(default=180.0, gt=0, le=36_500, allow_inf_nan=False)
    """Days after a session's end for which it is kept; then it is erased, and only that remains."""
    signals: bool = True
    """Whether what was observed, in numbers, is kept: to be plotted, and judged again later."""
    signal_days: float = Field(default=90.0, gt=0, le=36_500, allow_inf_nan=False)
    """Days for which these numbers are kept."""
    transcripts: bool = False
    """Whether words that were said are kept with them. ``False``: judging again hears no phrases."""
