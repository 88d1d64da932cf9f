"""Incidents: what judgement makes of observations. The vocabulary is the contract's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much an incident matters to a reviewer."""

    INFO = "info"
    WARNING = "warning"
    VIOLATION = "violation"


class IncidentState(StrEnum):
    """Where an incident is in its life."""

    STARTED = "started"
    UPDATED = "updated"
    ENDED = "ended"


LABELS: dict[str, str] = {
    "gaze.left": "Looking Left",
    "gaze.right": "Looking Right",
    "gaze.up": "Looking Up",
    "gaze.down": "Looking Down",
    "head.left": "Head Left",
    "head.right": "Head Right",
    "head.up": "Head Up",
    "head.down": "Head Down",
    "face.absent": "No Face Detected",
    "face.hidden": "Face Not Visible",
    "person.multiple": "Multiple Persons Detected",
    "person.background": "Person in Background",
    "object.phone": "Mobile Phone Detected",
    "face.spoof": "Face Spoofing Detected",
    "face.mismatch": "Different Person Detected",
    "audio.multiple_speakers": "Multiple Speakers Detected",
    "audio.overlap": "Overlapping Speech",
    "audio.phrase": "Suspicious Phrase Detected",
    "audio.speech": "Speech Detected",
    "camera.covered": "Camera Covered",
    "camera.dark": "Too Dark",
    "camera.bright": "Too Bright",
    "camera.blurred": "Camera Out of Focus",
    "camera.frozen": "Camera Frozen",
    "camera.moved": "Camera Moved",
    "browser.hidden": "Tab Hidden",
    "browser.window_left": "Window Left",
    "browser.fullscreen_left": "Full Screen Left",
    "browser.paste": "Text Pasted",
    "browser.second_screen": "Second Screen Detected",
    "browser.virtual_camera": "Virtual Camera Suspected",
    "browser.offline": "Network Lost",
    "liveness.challenge_failed": "Challenge Failed",
    "session.not_ready": "Candidate Not Ready",
    "session.connection_lost": "Connection Lost",
}
"""Incident kind to alert label: the text that clients match on (contract 1.3)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A still or a clip that was stored for an incident."""

    digest: str
    """SHA-256 of the content, in hexadecimal: its name, and the proof that it is unchanged."""
    kind: str
    """``still`` or ``clip``."""
    media_type: str
    """``image/jpeg``, ``video/mp4``."""
    start: float
    """Media time of the first picture, in seconds."""
    end: float
    """Media time of the last one; of a still, ``start``."""
    size: int
    """Bytes of the content."""
    blurred: bool
    """Whether bystanders were made unrecognisable."""


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """One step in the life of one incident."""

    number: int
    """Counts the session's incidents from 1; the same in every change of one incident."""
    kind: str
    """A key of ``LABELS``."""
    label: str
    state: IncidentState
    severity: Severity
    confidence: float
    """0 to 1: the mean confidence of the observations that held."""
    started_at: float
    """Media time at which the condition began to hold (not when it was reported)."""
    duration: float
    """Seconds from ``started_at`` to the last observation that held."""
    reason: str
    """One line for a reviewer: what was measured, for how long, against which limit."""
    alerts: bool
    """Whether this change belongs into ``alerts``: a start outside the kind's quiet time."""
    evidence: tuple[Evidence, ...] = ()
    """Everything that was stored for the incident so far."""
