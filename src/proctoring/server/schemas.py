"""What goes over the REST interface, as OpenAPI describes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from proctoring.judgement.policy.guidance import Action
from proctoring.session.identifier import SESSION_ID


class ErrorDetail(BaseModel):
    """One error."""

    code: str = Field(examples=["unknown_session"])
    """For machines."""
    detail: str = Field(examples=["no session exam-7 is open"])
    """For people."""
    retryable: bool = Field(
        description="Whether the same request, unchanged, may succeed later.", examples=[False]
    )


class ErrorAnswer(BaseModel):
    """Every error of every path."""

    error: ErrorDetail


class CapabilityAnswer(BaseModel):
    """One ability of the service, on or off."""

    name: str = Field(examples=["faces"])
    available: bool
    reason: str = Field(description="Why it is off; empty when it is on.", examples=[""])
    model: str = Field(examples=["face_landmarker"])
    wanted: bool = Field(
        default=True,
        description="False: optional, and nobody asked for it; its being off takes nothing away.",
    )


class BriefHealthAnswer(BaseModel):
    """What everybody may know of the service."""

    status: Literal["starting", "ok", "degraded", "failed", "stopping"]
    access: Literal["tokens", "local", "insecure"] = Field(
        description="Who is let in: bearers of tokens, everybody on this machine, or everybody.",
    )


class HealthAnswer(BriefHealthAnswer):
    """How the service is."""

    detail: str = Field(
        description="What is wrong, when something is.",
        examples=["gaze is off: face_landmarker cannot be had"],
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
    busy: float = Field(description="Share of the workers' time in use.", examples=[0.21])


class SessionRequest(BaseModel):
    """A session to be made before its candidate comes."""

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
        default=None, pattern=SESSION_ID, description="Made up when not given."
    )
    policy: str | None = Field(
        default=None, max_length=100, description="A policy's name; the server's default otherwise."
    )
    accommodations: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        max_length=64,
        description="Kind of incident or section of the policy to what differs for this candidate.",
    )
    mirrored: bool = Field(
        default=False, description="Whether the pictures are mirrored, left for right."
    )
    reference_photo: str | None = Field(
        default=None,
        repr=False,
        description=(
            "A JPEG or PNG as base64, at most 4 MiB: the candidate's face alone is in it, from the "
            "front, 60 pixels wide or more. Without it the session's first seconds are compared "
            "with. The photo is not kept."
        ),
    )
    reference_voice: str | None = Field(
        default=None, description="The candidate's voice, as in `PUT .../voice`.", repr=False
    )


class VoiceRequest(BaseModel):
    """The candidate's voice, recorded beforehand."""

    model_config = ConfigDict(extra="forbid")

    reference_voice: str = Field(
        description=(
            "A sound file (WAV, FLAC, Ogg, WebM) as base64, at most 6 MiB and a minute: the "
            "candidate alone speaks in it, for 3 s or more. Speaker embeddings alone are kept, until "
            "the session ends."
        ),
        repr=False,
    )


class VoiceAnswer(BaseModel):
    """What was learned of the candidate's voice."""

    seconds: float = Field(description="Clear speech that was used.", examples=[12.4])


class FramesAnswer(BaseModel):
    """What became of a session's frames."""

    received: int
    replaced: int = Field(description="A newer one came before their turn.")
    skipped: int = Field(description="Came sooner than anything was due.")
    analysed: int
    refused: int = Field(description="Could not be used.")
    failed: int = Field(description="Their analysis failed.")


class SoundAnswer(BaseModel):
    """What became of a session's sound, in seconds."""

    received: float
    missing: float = Field(description="Never arrived, or found no place while it waited.")
    failed: float = Field(description="Could not be listened to.")


class TranscriptionAnswer(BaseModel):
    """How a session's speech becomes words."""

    engine: str = Field(examples=["moonshine"])
    told: bool = Field(description="Whether listeners get the words.")
    available: bool
    reason: str = Field(description="Why no words come; empty while all is well.", examples=[""])
    missing: float = Field(description="Seconds of sound whose words nobody will know.")


class MissingAnswer(BaseModel):
    """One thing that a good position still lacks."""

    code: str = Field(examples=["face_too_small"])
    text: str = Field(examples=["Your face is too small: move closer to the camera."])


class EnrolmentAnswer(BaseModel):
    """Whether the candidate is in a position to be judged in."""

    state: Literal["off", "waiting", "calibrating", "ready"]
    missing: list[MissingAnswer]
    progress: float = Field(description="Of the steady time that is asked for, 0 to 1.")
    ready_at: float | None = Field(description="Media time since which it is ready.")
    limit: float = Field(
        description="Seconds from the first picture after which everything is judged all the same."
    )


class ReachAnswer(BaseModel):
    """How far a screen reaches from the middle of the gaze, in degrees."""

    left: float
    right: float
    up: float
    down: float


class CalibrationAnswer(BaseModel):
    """How the guided calibration stands."""

    state: Literal["none", "running", "done", "failed"]
    step: str = Field(description="What runs; empty when nothing does.", examples=["top_left"])
    text: str = Field(examples=["Look at the dot in the top left corner."])
    number: int = Field(description="Of the step, from 1; 0 when none runs.")
    of: int
    seconds: float = Field(description="For each step.")
    reason: str = Field(description="Why it failed.", examples=[""])
    reach: ReachAnswer | None = Field(description="The candidate's own screen, once learned.")
    attempts_left: int
    required: bool = Field(description="Whether nobody is ready without.")


class ChallengeAnswer(BaseModel):
    """How the session's challenge stands."""

    state: Literal["none", "asked", "passed", "failed"]
    action: str = Field(examples=["turn_left"])
    text: str = Field(examples=["Turn your head to your left."])
    attempt: int
    attempts: int = Field(description="Movements that may fail in a row before it is an incident.")
    seconds: float = Field(description="To make the movement in.")
    reason: str = Field(description="Why the last movement failed.", examples=[""])


class ChallengeRequest(BaseModel):
    """A movement to ask the candidate for."""

    model_config = ConfigDict(extra="forbid")

    action: Action | None = Field(default=None, description="Drawn by chance when not given.")


class SessionAnswer(BaseModel):
    """One open session."""

    session_id: str = Field(examples=["exam-7"])
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
    open_incidents: list[str] = Field(
        description="Kinds of the incidents that run now.", examples=[["gaze.left"]]
    )
    enrolment: EnrolmentAnswer
    calibration: CalibrationAnswer
    challenge: ChallengeAnswer
    frames: FramesAnswer
    sound: SoundAnswer
    transcription: TranscriptionAnswer | None = Field(
        description="Null where the policy wants none."
    )


class SessionsAnswer(BaseModel):
    """The open sessions, oldest first."""

    sessions: list[SessionAnswer]


class PolicyAnswer(BaseModel):
    """A policy that sessions can be made with."""

    name: str = Field(examples=["exam"])
    description: str


class PoliciesAnswer(BaseModel):
    """The policies that sessions can be made with."""

    policies: list[PolicyAnswer]
    default: str = Field(description="The one of sessions that begin with their first socket.")
