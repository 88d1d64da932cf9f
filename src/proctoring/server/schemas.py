"""Bodies of REST requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from proctoring.judgement.policy.guidance import Action
from proctoring.session.identifier import SESSION_ID


def _without_null(text: str) -> str:
    if "\0" in text:
        raise ValueError("contains a null character")
    return text


StoredText = Annotated[str, AfterValidator(_without_null)]
"""Text for the database: PostgreSQL stores none with a null character."""


class ErrorDetail(BaseModel):
    """One error."""

    code: str = Field(examples=["unknown_session"])
    """For programs."""
    detail: str = Field(examples=["no session exam-7 is open"])
    """For people."""
    retryable: bool = Field(
        description="Whether the same request, unchanged, may succeed later.", examples=[False]
    )


class ErrorAnswer(BaseModel):
    """The body of every error."""

    error: ErrorDetail


class CapabilityAnswer(BaseModel):
    """One capability of the service."""

    name: str = Field(examples=["faces"])
    available: bool
    reason: str = Field(description="Why it is off; empty when it is on.", examples=[""])
    model: str = Field(examples=["face_landmarker"])
    wanted: bool = Field(
        default=True,
        description="False: optional and not configured, so that its absence is no fault.",
    )


class BriefHealthAnswer(BaseModel):
    """Health without a token."""

    status: Literal["starting", "ok", "degraded", "failed", "draining", "stopping"]
    access: Literal["tokens", "local", "insecure"] = Field(
        description="Who may use the server: clients with a token, this machine only, or everybody.",
    )

    accepting: bool = Field(description="Whether a new session may begin now.")


class ReadyAnswer(BaseModel):
    """Sessions can begin."""

    status: Literal["starting", "ok", "degraded", "failed", "draining", "stopping"]


class GrantAnswer(BaseModel):
    """What the request's token permits; everything where no tokens are used."""

    scopes: list[str] = Field(examples=[["events", "media"]])
    sessions: list[str] = Field(
        description="Session ids, or prefixes of session ids followed by `*`.",
        examples=[["exam-7"]],
    )


class HealthAnswer(BriefHealthAnswer):
    """Health of the service."""

    grant: GrantAnswer
    detail: str = Field(
        description="What is wrong; empty if nothing is.",
        examples=["gaze is off: face_landmarker cannot be had"],
    )
    refusal: str = Field(
        description="Why no new session may begin; empty if one may.",
        examples=["500 sessions are open, as many as may be"],
    )
    version: str = Field(examples=["0.1.0"])
    capabilities: list[CapabilityAnswer]
    sessions: int = Field(description="Sessions open now.", examples=[3])
    workers: int = Field(description="Threads that analyse.", examples=[2])
    frames_per_second: float = Field(
        description="Frames per second that all sessions together allow each; 10 unless overloaded.",
        examples=[10.0],
    )
    slowed_sessions: int = Field(
        description="Sessions analysed at less than 10 frames a second now.", examples=[0]
    )
    busy: float = Field(description="Share of the workers' CPU capacity in use.", examples=[0.21])
    needed: float = Field(
        description="Share of the workers' CPU capacity that all sessions would use at 10 frames a second; more"
        " than 1 if that is too much.",
        examples=[0.21],
    )
    connections: int = Field(description="Connections open now.", examples=[12])
    refused_connections: int = Field(
        description="Connections and sockets refused or cut since the start, by a limit.",
        examples=[0],
    )


class SessionRequest(BaseModel):
    """A session to create before its first socket."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "session_id": "exam-7",
                    "policy": "exam",
                    "accommodations": {"gaze.down": {"persist": 5}, "screen": {"down": 30}},
                    "mirrored": False,
                },
                {},
            ]
        },
    )

    session_id: str | None = Field(
        default=None, pattern=SESSION_ID, description="Generated if not given."
    )
    policy: str | None = Field(
        default=None,
        max_length=100,
        description="Name of a policy; the server's default if not given.",
    )
    accommodations: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=64,
        description="Kind of incident or section of the policy to changed settings for this candidate.",
    )
    mirrored: bool = Field(
        default=False, description="Whether the frames are mirrored horizontally."
    )
    reference_photo: str | None = Field(
        default=None,
        repr=False,
        description=(
            "A JPEG or PNG in base64, at most 4 MiB, that shows only the candidate's face, from the "
            "front, at least 60 pixels wide. Without it the session's first seconds are the "
            "reference. The photo is not stored."
        ),
    )
    reference_voice: str | None = Field(
        default=None, description="The candidate's voice, as in `PUT .../voice`.", repr=False
    )


class VoiceRequest(BaseModel):
    """A recording of the candidate's voice."""

    model_config = ConfigDict(extra="forbid")

    reference_voice: str = Field(
        description=(
            "An audio file (WAV, FLAC, Ogg, WebM) in base64, at most 6 MiB and one minute, in which "
            "only the candidate speaks, for 3 s or more. Only speaker embeddings are kept, until the "
            "session ends."
        ),
        repr=False,
    )


class VoiceAnswer(BaseModel):
    """How much of the recording could be used."""

    seconds: float = Field(description="Seconds of clear speech.", examples=[12.4])


class FramesAnswer(BaseModel):
    """Frames of a session by outcome."""

    received: int
    replaced: int = Field(description="Replaced by a newer frame before their turn.")
    skipped: int = Field(description="Arrived before any analysis was due.")
    analysed: int
    refused: int = Field(description="Could not be decoded.")
    failed: int = Field(description="Their analysis failed.")


class SoundAnswer(BaseModel):
    """Audio of a session by outcome, in seconds."""

    received: float
    missing: float = Field(description="Never arrived, or exceeded the buffer.")
    failed: float = Field(description="Analysis failed.")


class TranscriptionAnswer(BaseModel):
    """Transcription of a session."""

    engine: str = Field(examples=["moonshine"])
    told: bool = Field(description="Whether transcripts are published.")
    available: bool
    reason: str = Field(description="Why it does not work; empty while it does.", examples=[""])
    missing: float = Field(description="Seconds of audio that were not transcribed.")


class MissingAnswer(BaseModel):
    """A condition of a good position that is not met."""

    code: str = Field(examples=["face_too_small"])
    text: str = Field(examples=["Your face is too small: move closer to the camera."])


class ProblemAnswer(BaseModel):
    """A problem of the session's media, and what the candidate is told."""

    code: str = Field(examples=["sound_lost"])
    text: str = Field(
        examples=["No sound arrives: check that your microphone is connected and not muted."]
    )


class MediaAnswer(BaseModel):
    """Problems of the media, as told to the candidate: what does not arrive or is not analysed."""

    problems: list[ProblemAnswer]


class EnrolmentAnswer(BaseModel):
    """State of enrolment: whether the candidate's position is good enough to be judged."""

    state: Literal["off", "waiting", "calibrating", "ready"]
    missing: list[MissingAnswer]
    progress: float = Field(description="Share of the required steady time, 0 to 1.")
    ready_at: float | None = Field(description="Media time at which it became ready.")
    limit: float = Field(
        description="Seconds from the first frame after which judging starts in any case."
    )


class ReachAnswer(BaseModel):
    """How far a screen reaches from the middle of the gaze, in degrees."""

    left: float
    right: float
    up: float
    down: float


class CalibrationAnswer(BaseModel):
    """State of the guided calibration."""

    state: Literal["none", "running", "done", "failed"]
    step: str = Field(description="The running step; empty if none runs.", examples=["top_left"])
    text: str = Field(examples=["Look at the dot in the top left corner."])
    number: int = Field(description="Number of the step, from 1; 0 if none runs.")
    of: int
    seconds: float = Field(description="Time for each step.")
    reason: str = Field(description="Why it failed.", examples=[""])
    reach: ReachAnswer | None = Field(description="The candidate's own screen, once learned.")
    attempts_left: int
    required: bool = Field(description="Whether the candidate must calibrate to become ready.")


class ChallengeAnswer(BaseModel):
    """State of the session's challenge."""

    state: Literal["none", "asked", "passed", "failed"]
    action: str = Field(examples=["turn_left"])
    text: str = Field(examples=["Turn your head to your left."])
    attempt: int
    attempts: int = Field(description="Consecutive failures that become an incident.")
    seconds: float = Field(description="Time to make the movement.")
    reason: str = Field(description="Why the last movement failed.", examples=[""])


class ChallengeRequest(BaseModel):
    """A movement to ask the candidate for."""

    model_config = ConfigDict(extra="forbid")

    action: Action | None = Field(default=None, description="Chosen at random if not given.")


class AlertAnswer(BaseModel):
    """An incident that alerted."""

    kind: str = Field(examples=["gaze.left"])
    label: str = Field(examples=["Looking Left"])
    severity: Literal["violation", "warning", "info"]
    started_at: float = Field(description="Media time in seconds.", examples=[91.4])


class OpenIncidentAnswer(AlertAnswer):
    """An open incident."""

    reason: str = Field(examples=["gaze 31 degrees left for 4.2 s (limit 2.0 s)"])


class SessionAnswer(BaseModel):
    """One open session."""

    session_id: str = Field(examples=["exam-7"])
    sitting_id: str = Field(
        description="Its record, on the page `/sitting?id=`, if records are on.",
        examples=["01KB3Q8Z6V7Y3M5N9P2R4T6W8X"],
    )
    state: Literal["open", "ended"]
    policy: str = Field(examples=["exam"])
    mirrored: bool
    started_at: datetime
    media_time: float | None = Field(
        description="Seconds since the first media; null before it.", examples=[93.4]
    )
    video: bool = Field(description="Whether a video socket is open.")
    audio: bool = Field(description="Whether an audio socket is open.")
    frames_per_second: float = Field(
        description="Frames analysed per second of media now; 10 unless overloaded.",
        examples=[10.0],
    )
    listeners: int
    last_seq: int = Field(description="Number of the last event; 0 before the first.")
    open_incidents: list[OpenIncidentAnswer] = Field(
        description="Open incidents: worst severity first, then longest open."
    )
    last_alert: AlertAnswer | None = Field(
        description="The newest incident that alerted; null before the first."
    )
    enrolment: EnrolmentAnswer
    calibration: CalibrationAnswer
    challenge: ChallengeAnswer
    media: MediaAnswer
    frames: FramesAnswer
    sound: SoundAnswer
    transcription: TranscriptionAnswer | None = Field(
        description="Null if the policy does not use it."
    )


class DrainAnswer(BaseModel):
    """The server hands over its sessions and stops."""

    sessions: int = Field(description="Open sessions that are handed over, or end.", examples=[12])


class SessionsAnswer(BaseModel):
    """The open sessions, oldest first."""

    sessions: list[SessionAnswer]
    unreachable_servers: int = Field(
        0, description="Servers of a cluster that did not answer: their sessions are missing."
    )


class PolicyAnswer(BaseModel):
    """A policy that sessions can be created with."""

    name: str = Field(examples=["exam"])
    description: str


class PoliciesAnswer(BaseModel):
    """Policies that sessions can be created with."""

    policies: list[PolicyAnswer]
    default: str = Field(description="The policy of sessions that start with their first socket.")
