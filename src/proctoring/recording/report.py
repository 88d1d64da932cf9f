"""What an analysis found: incidents from their changes, and the report as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proctoring.capabilities import Capability
from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.judgement.policy import Policy
from proctoring.recording.sound_track import SoundSummary


@dataclass(frozen=True, slots=True)
class RecordedIncident:
    """One incident, from beginning to end. Times are seconds from the recording's first picture, or
    its first sound where it has no pictures."""

    number: int
    kind: str
    label: str
    severity: Severity
    started_at: float
    ended_at: float
    """The last moment at which the condition was seen to hold."""
    duration: float
    confidence: float
    alerted: bool
    """``False``: it fell into the quiet time after another one of its kind."""
    reason: str


def collect(changes: Iterable[IncidentChange]) -> tuple[RecordedIncident, ...]:
    """The incidents that these changes tell of, in the order of their beginning.

    The last change of each incident counts; so play a recording to its end and finish it.
    """
    alerted: set[int] = set()
    last: dict[int, IncidentChange] = {}
    for change in changes:
        last[change.number] = change
        if change.state is IncidentState.STARTED and change.alerts:
            alerted.add(change.number)
    incidents = (
        RecordedIncident(
            number=change.number,
            kind=change.kind,
            label=change.label,
            severity=change.severity,
            started_at=round(change.started_at, 6),
            ended_at=round(change.started_at + change.duration, 6),
            duration=round(change.duration, 6),
            confidence=round(change.confidence, 3),
            alerted=change.number in alerted,
            reason=change.reason,
        )
        for change in last.values()
    )
    return tuple(sorted(incidents, key=lambda found: (found.started_at, found.number)))


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast a recording was analysed."""

    duration: float
    """Seconds of video, or of sound where there are no pictures."""
    elapsed: float
    """Wall seconds it took, without the loading of models."""
    cpu: float
    """Seconds of CPU it took, on all cores."""
    pictures: int
    analysed: int

    @property
    def times_real_time(self) -> float:
        """Seconds of recording per second of work."""
        return self.duration / self.elapsed if self.elapsed > 0 else 0.0


def as_json(
    file: str,
    policy: Policy,
    capabilities: tuple[Capability, ...],
    incidents: tuple[RecordedIncident, ...],
    speed: Speed,
    enrolment: Mapping[str, Any],
    problem: str = "",
    sound: SoundSummary | None = None,
) -> dict[str, Any]:
    """The report as values for JSON.

    Args:
        file: the recording's name, without its folder.
        policy: what judged.
        capabilities: what could be seen with.
        incidents: what was found.
        speed: how fast.
        enrolment: how it stood at the end (``Pipeline.guidance``).
        problem: why the recording could not be read to its end; empty when it could.
        sound: what was heard; ``None`` where there is no sound. Its words are told only where the
            policy has them told.
    """
    return {
        "file": file,
        "complete": not problem,
        "problem": problem,
        "duration": round(speed.duration, 6),
        "pictures": speed.pictures,
        "analysed": speed.analysed,
        "seconds_taken": round(speed.elapsed, 3),
        "cpu_seconds_taken": round(speed.cpu, 3),
        "times_real_time": round(speed.times_real_time, 2),
        "capabilities": [asdict(capability) for capability in capabilities],
        "sound": None if sound is None else _sound(policy, sound),
        "enrolment": dict(enrolment),
        "incidents": [asdict(incident) for incident in incidents],
        "policy": policy.model_dump(mode="json"),
    }


def _sound(policy: Policy, sound: SoundSummary) -> dict[str, Any]:
    told = sound.transcript if policy.transcription.tell else []
    return {
        "seconds": round(sound.seconds, 3),
        "speech_seconds": round(sound.speech, 3),
        "voices": len(sound.voices),
        "transcript": [
            {"start": round(said.start, 3), "end": round(said.time, 3), "text": said.text}
            for said in told
        ],
    }
