"""How long a condition must hold before it is an incident: one rule per kind of incident."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from proctoring.incidents import Severity
from proctoring.judgement.policy.section import Seconds, Section


class Looks(Section):
    """Persistence counted in looks, for what is looked at only now and then: ``looks`` of ``of``."""

    looks: int = Field(ge=1, le=20)
    of: int = Field(ge=1, le=20)

    @model_validator(mode="after")
    def _possible(self) -> Looks:
        if self.looks > self.of:
            raise ValueError(f"{self.looks} of the last {self.of} looks can never hold")
        return self


class ClosingLooks(Section):
    """So many looks in a row that do not show the condition end an incident."""

    looks: int = Field(ge=1, le=20)


def _way(value: Any) -> str:
    return "(seconds)" if isinstance(value, int | float | str) else "(looks)"


# Telling the two apart beforehand makes errors speak of the one that was meant.
Persist = Annotated[
    Annotated[Seconds, Tag("(seconds)")] | Annotated[Looks, Tag("(looks)")], Discriminator(_way)
]
Closing = Annotated[
    Annotated[Seconds, Tag("(seconds)")] | Annotated[ClosingLooks, Tag("(looks)")],
    Discriminator(_way),
]


class Rule(Section):
    """When one kind of incident starts, ends and alerts. All seconds are media time."""

    enabled: bool = True
    """``False``: this kind is never judged."""
    severity: Severity
    persist: Persist
    """The condition must hold this long, or in so many of the last looks, before an incident
    starts. Raising it alarms less and misses more short ones."""
    share: float = Field(default=0.8, gt=0, le=1)
    """Of the observations within the persisting time at least this share must hold; those that
    could not be read (eyes shut) count among the others. Raising it alarms less on flicker."""
    gap: Seconds = 0.4
    """A condition that is seen to be gone for longer than this before its time was full starts
    again from nothing. Raising it bridges more blinks and missed detections."""
    closes_after: Closing
    """The condition must be seen to be gone this long before the incident ends. Raising it joins
    what would be several incidents into one."""
    quiet: float = Field(ge=0, le=86_400, allow_inf_nan=False)
    """For so long after the end of an incident that alerted, further incidents of this kind are
    recorded without an alert."""
    hole: Seconds = 1.6
    """An interval without any observation longer than this is nobody's evidence: what was pending
    starts again. Must exceed the interval between two looks at this kind, which a busy machine
    stretches to a second and some jitter."""
    lost_after: Seconds = 10.0
    """An incident whose condition has not been seen to hold for so long, because it could not be
    read or nothing arrived, ends at the last moment it was seen. Never sooner than
    ``closes_after``."""

    @model_validator(mode="after")
    def _one_way_of_counting(self) -> Rule:
        if isinstance(self.persist, Looks) != isinstance(self.closes_after, ClosingLooks):
            raise ValueError("persist and closes_after must both be seconds or both be looks")
        return self
