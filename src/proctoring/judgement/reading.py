"""What one observation says about one kind of incident."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What one observation says about one kind of incident."""

    kind: str
    held: bool | None
    """``None``: looked at, but not readable."""
    confidence: float = 0.0
    """0 to 1, where it holds."""
    value: float = 0.0
    """How strong: degrees, a score, a number of persons. Compared within a kind only."""
    text: str = ""
    """Where it holds, what was measured (``{}`` stands for the incident's mean value); where it
    could not be read, why."""
    slow: bool = False
    """Read of a slow look, though the kind is read of quick ones too: it may come after later
    quick readings."""
