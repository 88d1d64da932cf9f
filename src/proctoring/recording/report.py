"""The report on a recording as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proctoring.capabilities import Capability
from proctoring.incidents import IncidentSummary
from proctoring.judgement.policy import Policy
from proctoring.recording.sound_track import SoundSummary


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
    incidents: tuple[IncidentSummary, ...],
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
        "incidents": [asdict(incident) | {"ended_at": incident.ended_at} for incident in incidents],
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
