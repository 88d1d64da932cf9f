"""A reading: what one observation says about one kind of incident."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Reading:
    """What one observation says about one kind of incident."""

    kind: str
    """A key of ``incidents.LABELS``."""
    held: bool | None
    """Whether the condition holds; ``None``: analysed, but unreadable."""
    confidence: float = 0.0
    """0 to 1, if the condition holds."""
    value: float = 0.0
    """Strength: degrees, a score, a number of persons. Only comparable within a kind."""
    text: str = ""
    """If the condition holds, what was measured (``{}`` stands for the mean value over the incident);
    if unreadable, why."""
    deferred: bool = False
    """From a deferred detection, of a kind that immediate detections read too: it may arrive after
    later readings of its kind."""


@cache
def not_held(kind: str) -> Reading:
    """The reading that a condition does not hold. Most readings are that, so each is made once."""
    return Reading(kind, False)
