"""Capabilities of this installation, as reported by health, log and page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability of the service, on or off, and why."""

    name: str
    """``faces``, ``gaze``, ``objects``, ...: stable, for clients to match on."""
    available: bool
    reason: str
    """Empty when available; otherwise one sentence on what is missing."""
    model: str
    """Catalogue name of the model that provides it."""
    wanted: bool = True
    """``False``: optional and not requested, so that the service is not degraded without it."""
