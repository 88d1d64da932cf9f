"""What this installation can and cannot see: one line per ability, for health, log and page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capability:
    """One ability of the service, on or off, and why."""

    name: str
    """``faces``, ``gaze``, ``objects``, ...: a word that clients may match on."""
    available: bool
    reason: str
    """Empty when available; otherwise one sentence that says what is missing."""
    model: str
    """Catalogue name of the model that gives this ability."""
    wanted: bool = True
    """``False``: optional, and nobody asked for it. Its being off takes nothing from the service."""
