"""The report on a recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proctoring.capabilities import Capability
from proctoring.incidents import IncidentSummary
from proctoring.judgement.policy import Policy
from proctoring.recording.audio_track import AudioSummary, Utterance


@dataclass(frozen=True, slots=True)
class Speed:
    """What an analysis cost."""

    duration: float
    """Seconds of video, or of audio without video."""
    elapsed: float
    """Wall seconds, without loading models."""
    cpu: float
    """CPU seconds of the process, on all cores."""
    frames: int
    """Frames of the recording."""
    analysed: int
    """Frames that were analysed."""

    @property
    def times_real_time(self) -> float:
        """Seconds of recording per second of wall time."""
        return self.duration / self.elapsed if self.elapsed > 0 else 0.0


@dataclass(frozen=True, slots=True)
class MissingRequirement:
    """What keeps a candidate from being judged."""

    code: str
    """A key of ``judgement.enrolment.MISSING``: ``too_dark``, ``nobody``, ..."""
    text: str
    """What the candidate is told."""


@dataclass(frozen=True, slots=True)
class EnrolmentSummary:
    """Whether and when the candidate was in a position to be judged in."""

    state: str
    """``waiting``, ``calibrating``, ``ready`` or ``off``: at the end of the recording."""
    missing: tuple[MissingRequirement, ...]
    progress: float
    """0 to 1."""
    ready_at: float | None
    """Media time in seconds; ``None``: never."""
    limit: float
    """Seconds after which the policy makes it an incident."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in a recording.

    Times are seconds of media time: since the first frame, or the first sample without video.
    """

    file: str
    """Name of the recording, without its folder."""
    policy: Policy
    """The policy as it was applied."""
    capabilities: tuple[Capability, ...]
    """What could be detected, and what was off."""
    incidents: tuple[IncidentSummary, ...]
    """Ordered by start time."""
    enrolment: EnrolmentSummary
    speed: Speed
    audio: AudioSummary | None = None
    """``None``: the recording has no audio."""
    transcript: tuple[Utterance, ...] = ()
    """Empty unless the policy transcribes and publishes the words."""
    problem: str = ""
    """Why the recording could not be read to its end; empty when it could."""

    @property
    def complete(self) -> bool:
        """Whether the recording could be read to its end."""
        return not self.problem

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values; what ``proctoring analyse --json`` writes."""
        missing = [asdict(requirement) for requirement in self.enrolment.missing]
        return {
            "file": self.file,
            "complete": self.complete,
            "problem": self.problem,
            "duration": round(self.speed.duration, 6),
            "pictures": self.speed.frames,
            "analysed": self.speed.analysed,
            "seconds_taken": round(self.speed.elapsed, 3),
            "cpu_seconds_taken": round(self.speed.cpu, 3),
            "times_real_time": round(self.speed.times_real_time, 2),
            "capabilities": [asdict(capability) for capability in self.capabilities],
            "sound": None if self.audio is None else _audio_json(self.audio, self.transcript),
            "enrolment": asdict(self.enrolment) | {"missing": missing},
            "incidents": [
                asdict(incident) | {"ended_at": incident.ended_at} for incident in self.incidents
            ],
            "policy": self.policy.model_dump(mode="json"),
        }


def _audio_json(audio: AudioSummary, transcript: tuple[Utterance, ...]) -> dict[str, Any]:
    return {
        "seconds": round(audio.seconds, 3),
        "speech_seconds": round(audio.speech_seconds, 3),
        "voices": len(audio.voices),
        "transcript": [
            {"start": round(one.start, 3), "end": round(one.end, 3), "text": one.text}
            for one in transcript
        ],
    }


def enrolment_summary(guidance: Mapping[str, Any]) -> EnrolmentSummary:
    """The summary of ``Pipeline.guidance["enrolment"]``."""
    missing = tuple(MissingRequirement(**one) for one in guidance["missing"])
    return EnrolmentSummary(**{**guidance, "missing": missing})
