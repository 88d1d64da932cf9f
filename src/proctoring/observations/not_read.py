"""What was analysed and could not be read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something that was analysed and could not be read."""

    what: str
    """``gaze``, ``head``, ...: the field that is empty."""
    reason: str
    """In words for reviewers: "eyes shut", "face smaller than 80 pixels"."""
