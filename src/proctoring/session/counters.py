"""Counters and open incidents of one session, for the REST API."""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.session.outcomes import (
    AudioFailed,
    AudioReceived,
    FrameAnalysed,
    FrameFailed,
    FrameReceived,
    FrameRefused,
    FrameReplaced,
    FrameSkipped,
    JudgementUpdate,
    Outcome,
)


@dataclass(slots=True)
class FrameCounts:
    """Frames of a session by outcome."""

    received: int = 0
    replaced: int = 0
    """A newer one arrived while this one waited."""
    skipped: int = 0
    """Nothing was due when their turn came."""
    analysed: int = 0
    refused: int = 0
    """Could not be decoded."""
    failed: int = 0
    """Their analysis failed."""

    def copied(self) -> FrameCounts:
        """The counts as they are now. By hand, since this is done for every frame."""
        return FrameCounts(
            self.received, self.replaced, self.skipped, self.analysed, self.refused, self.failed
        )


@dataclass(slots=True)
class AudioCounts:
    """Audio of a session, in seconds."""

    received: float = 0.0
    missing: float = 0.0
    """Never arrived, or did not fit into the buffer."""
    failed: float = 0.0
    """Could not be analysed."""

    def copied(self) -> AudioCounts:
        """The counts as they are now."""
        return AudioCounts(self.received, self.missing, self.failed)


@dataclass(frozen=True, slots=True)
class IncidentsShown:
    """The incidents of a ``SessionCounters``: what judgement has published."""

    open: tuple[IncidentChange, ...] = ()
    last_alert: IncidentChange | None = None


class SessionCounters:
    """A sink. Each count has one writing thread at a time, so no lock is needed."""

    def __init__(self) -> None:
        self.frames = FrameCounts()
        self.audio = AudioCounts()
        self._open: dict[int, IncidentChange] = {}
        self.last_alert: IncidentChange | None = None
        """The start of the newest incident that alerted."""

    @property
    def incidents(self) -> IncidentsShown:
        """To keep with the state of judgement; to be read while it is."""
        return IncidentsShown(tuple(self._open.values()), self.last_alert)

    def restore(self, frames: FrameCounts, audio: AudioCounts, incidents: IncidentsShown) -> None:
        """Go on from what another process counted."""
        self.frames, self.audio = frames, audio
        self._open = {change.number: change for change in incidents.open}
        self.last_alert = incidents.last_alert

    @property
    def open_incidents(self) -> tuple[IncidentChange, ...]:
        """The last change of each open incident: worst severity first, then longest open."""
        found = list(self._open.values())  # a worker may add to it meanwhile
        return tuple(sorted(found, key=lambda one: (-one.severity.rank, one.started_at)))

    def accept(self, outcome: Outcome) -> None:
        """Count an outcome."""
        frames, audio = self.frames, self.audio
        match outcome:
            case FrameReceived():
                frames.received += 1
            case FrameReplaced():
                frames.replaced += 1
            case FrameSkipped():
                frames.skipped += 1
            case FrameAnalysed():
                frames.analysed += 1
            case FrameRefused():
                frames.refused += 1
            case FrameFailed():
                frames.failed += 1
            case AudioReceived():
                audio.received += outcome.seconds
                audio.missing += outcome.missing
            case AudioFailed():
                audio.failed += outcome.seconds
            case JudgementUpdate():
                for change in outcome.changes:
                    if change.state is IncidentState.ENDED:
                        self._open.pop(change.number, None)
                    else:
                        self._open[change.number] = change
                    if change.alerts and change.state is IncidentState.STARTED:
                        self.last_alert = change
