"""What is written down of a sitting, in the order in which it happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from proctoring.incidents import IncidentChange


@dataclass(frozen=True, slots=True)
class SittingStarted:
    """A sitting begins."""

    sitting_id: str
    session_id: str
    began_at: datetime
    mirrored: bool
    policy_name: str
    policy_toml: str
    seed: str = field(default="", repr=False)
    """What challenges are drawn from: needed to judge again exactly."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something to be told; its number and text come from the one before."""

    sitting_id: str
    session_id: str
    time: datetime
    media_time: float
    changes: tuple[tuple[str, IncidentChange], ...]
    """With the id of each incident."""


@dataclass(frozen=True, slots=True)
class SittingEnded:
    """A sitting ended, and nothing more comes of it."""

    sitting_id: str
    session_id: str
    time: datetime
    media_time: float
    reason: str
    face: tuple[float, ...] | None = field(default=None, repr=False)
    """The candidate's embedding, where it is to be kept."""
