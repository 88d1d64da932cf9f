"""Incidents: their kinds and labels, the changes that judgement publishes, and their summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much an incident matters to a reviewer."""

    INFO = "info"
    WARNING = "warning"
    VIOLATION = "violation"

    @property
    def rank(self) -> int:
        """For sorting: the higher, the more it matters."""
        return list(Severity).index(self)


class IncidentState(StrEnum):
    """State of an incident after a change."""

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
    "face.motionless": "No Movement in Face",
    "face.mismatch": "Different Person Detected",
    "face.unverified": "Identity Not Verified",
    "audio.multiple_speakers": "Multiple Speakers Detected",
    "audio.overlap": "Overlapping Speech",
    "audio.phrase": "Suspicious Phrase Detected",
    "audio.speech": "Speech Detected",
    "audio.silent": "Microphone Silent",
    "audio.lost": "Sound Lost",
    "camera.covered": "Camera Covered",
    "camera.dark": "Too Dark",
    "camera.bright": "Too Bright",
    "camera.blurred": "Camera Out of Focus",
    "camera.turned": "Picture Turned",
    "camera.frozen": "Camera Frozen",
    "camera.looped": "Looped Video Detected",
    "camera.moved": "Camera Moved",
    "camera.lost": "Camera Lost",
    "browser.hidden": "Tab Hidden",
    "browser.window_left": "Window Left",
    "browser.fullscreen_left": "Full Screen Left",
    "browser.paste": "Text Pasted",
    "browser.second_screen": "Second Screen Detected",
    "browser.virtual_camera": "Virtual Camera Suspected",
    "browser.offline": "Network Lost",
    "liveness.challenge_failed": "Challenge Failed",
    "liveness.unread": "Liveness Not Measured",
    "session.not_ready": "Candidate Not Ready",
    "session.connection_lost": "Connection Lost",
    "session.not_analysed": "Pictures Not Analysed",
    "session.taken_over": "Connection Taken Over",
}
"""Incident kind to alert label. Clients match on the label: changing one breaks them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stored still or clip of an incident."""

    digest: str
    """SHA-256 of the content in hexadecimal; also its name."""
    kind: str
    """``still`` or ``clip``."""
    media_type: str
    """``image/jpeg``, ``video/mp4``."""
    start: float
    """Media time of the first frame, in seconds."""
    end: float
    """Media time of the last frame, in seconds; equals ``start`` for a still."""
    size: int
    """Size of the content in bytes."""
    blurred: bool
    """Whether bystanders were blurred."""


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """An incident that started, was updated or ended."""

    number: int
    """Number of the incident within its sitting, from 1; the same in all its changes."""
    kind: str
    """A key of ``LABELS``."""
    label: str
    state: IncidentState
    severity: Severity
    confidence: float
    """0 to 1: the mean confidence of the observations that held."""
    started_at: float
    """Media time in seconds at which the condition began to hold, which is before it was reported."""
    duration: float
    """Seconds from ``started_at`` to the last observation that held."""
    reason: str
    """One line for reviewers: what was measured, for how long, and the limit."""
    alerts: bool
    """Whether this change raises an alert: only a start outside the kind's cooldown does."""
    evidence: tuple[Evidence, ...] = ()
    """All evidence stored for the incident so far."""


@dataclass(frozen=True, slots=True)
class IncidentSummary:
    """An incident from start to end. Times are seconds of media time, rounded to milliseconds."""

    number: int
    """Number of the incident within its sitting, from 1."""
    kind: str
    """A key of ``LABELS``."""
    label: str
    severity: Severity
    started_at: float
    """Media time at which the condition began to hold."""
    duration: float
    """Seconds from ``started_at`` to the last observation that held."""
    confidence: float
    """0 to 1, rounded to three digits."""
    alerted: bool
    """``False``: recorded without an alert, e.g. during the kind's cooldown."""
    reason: str
    """One line for reviewers."""

    @property
    def ended_at(self) -> float:
        """Media time of the last observation that held."""
        return round(self.started_at + self.duration, 3)


def fold_changes(changes: Iterable[IncidentChange]) -> tuple[IncidentSummary, ...]:
    """The incidents that ``changes`` describe, ordered by start time.

    Args:
        changes: in the order in which judgement returned them. The last change of an incident
            determines its summary, so include those of ``finish``.
    """
    alerted: set[int] = set()
    last: dict[int, IncidentChange] = {}
    for change in changes:
        last[change.number] = change
        if change.alerts and change.state is IncidentState.STARTED:
            alerted.add(change.number)
    summaries = (
        IncidentSummary(
            number=change.number,
            kind=change.kind,
            label=change.label,
            severity=change.severity,
            started_at=round(change.started_at, 3),
            duration=round(change.duration, 3),
            confidence=round(change.confidence, 3),
            alerted=change.number in alerted,
            reason=change.reason,
        )
        for change in last.values()
    )
    return tuple(sorted(summaries, key=lambda found: (found.started_at, found.number)))
