"""The rule of one kind of incident: how long its condition must hold, and when it ends."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from proctoring.incidents import Severity
from proctoring.judgement.policy.section import Seconds, Section
from proctoring.judgement.times import TOLERANCE


class Hits(Section):
    """Persistence as a count, for what is only detected now and then: ``hits`` of the last ``of``."""

    hits: int = Field(ge=1, le=20)
    of: int = Field(ge=1, le=20)

    @model_validator(mode="after")
    def _possible(self) -> Hits:
        if self.hits > self.of:
            raise ValueError(f"{self.hits} hits of the last {self.of} are impossible")
        return self


class Misses(Section):
    """Number of consecutive detections without the condition that end an incident."""

    misses: int = Field(ge=1, le=20)


def _tag(value: Any) -> str:
    return "(seconds)" if isinstance(value, int | float | str) else "(count)"


# A discriminated union: errors then mention only the form that was used.
Persist = Annotated[
    Annotated[Seconds, Tag("(seconds)")] | Annotated[Hits, Tag("(count)")], Discriminator(_tag)
]
ClosesAfter = Annotated[
    Annotated[Seconds, Tag("(seconds)")] | Annotated[Misses, Tag("(count)")], Discriminator(_tag)
]


class Rule(Section):
    """When incidents of one kind start, end and alert. Times are seconds of media time."""

    enabled: bool = True
    """``False``: this kind is not judged."""
    severity: Severity
    """``info``, ``warning`` or ``violation``."""
    warning_after: float | None = Field(default=None, ge=0, le=86_400, allow_inf_nan=False)
    """An incident of severity ``info`` becomes a ``warning`` when it has lasted this long. Not set:
    never."""
    persist: Persist
    """How long the condition must hold, or in how many of the last detections, before an incident
    starts. Raising it reports less and misses short ones."""
    min_share: float = Field(default=0.8, gt=0, le=1)
    """Share of the readings within ``persist`` that must hold; unreadable ones (eyes shut) count as
    not holding. Raising it reports less when detections flicker."""
    max_dropout: Seconds = 0.4
    """Before an incident has started, a condition that is absent for longer starts anew. Raising it
    bridges more blinks and missed detections."""
    closes_after: ClosesAfter
    """How long the condition must be absent before the incident ends. Raising it merges incidents
    that are close together."""
    cooldown: float = Field(ge=0, le=86_400, allow_inf_nan=False)
    """For this long after the end of an incident that alerted, further incidents of this kind are
    recorded without an alert."""
    max_gap: Seconds = 1.6
    """Before an incident has started, a condition without any reading for longer starts anew. Must
    exceed the interval between two readings of this kind: a second and some jitter on a busy
    machine."""
    stale_after: Seconds = 10.0
    """An incident whose condition has not been read as holding for this long, because it was
    unreadable or no media arrived, ends at the last reading that held. At least ``closes_after``."""

    def severity_after(self, duration: float) -> Severity:
        """Severity of an incident that has lasted ``duration`` seconds."""
        limit = self.warning_after
        if self.severity is Severity.INFO and limit is not None and duration >= limit - TOLERANCE:
            return Severity.WARNING
        return self.severity

    @model_validator(mode="after")
    def _same_unit(self) -> Rule:
        if isinstance(self.persist, Hits) != isinstance(self.closes_after, Misses):
            raise ValueError("persist and closes_after must both be seconds or both be counts")
        return self
