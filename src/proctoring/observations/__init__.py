"""Observations: what perception reports and judgement consumes.

* Times are *media time*: seconds since the session's first media, never wall clock.
* Boxes are in pixels of the upright frame (EXIF and stream rotation applied), origin top left.
* Angles are in degrees. Left and right are the candidate's own: ``yaw`` is positive towards the
  candidate's left (the right of an unmirrored picture), ``pitch`` is positive upwards, ``roll`` is
  positive when the head tilts towards the candidate's left shoulder.
* ``None`` means *not analysed*, an empty tuple "analysed and found nothing"; ``not_read`` says why.
"""

from proctoring.observations.arrival import ConnectionObservation, SocketReplaced, UnanalysedFrames
from proctoring.observations.attention import Attention
from proctoring.observations.audio import (
    AudioObservation,
    DiarizationResult,
    SpeakerActivity,
    TranscriptObservation,
    Word,
)
from proctoring.observations.browser import BrowserObservation
from proctoring.observations.not_read import NotRead
from proctoring.observations.video import (
    Box,
    CameraMovement,
    Candidate,
    Detection,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    Identity,
    ImageQuality,
    InjectionIndicators,
    Liveness,
    ObjectDetections,
    TurnedPicture,
    VisibleHalf,
)

Observation = (
    FrameObservation
    | ConnectionObservation
    | AudioObservation
    | TranscriptObservation
    | BrowserObservation
    | SocketReplaced
)
"""Any observation."""

__all__ = [
    "Attention",
    "AudioObservation",
    "Box",
    "BrowserObservation",
    "CameraMovement",
    "Candidate",
    "ConnectionObservation",
    "Detection",
    "DiarizationResult",
    "Face",
    "FrameObservation",
    "Gaze",
    "HeadPose",
    "Identity",
    "ImageQuality",
    "InjectionIndicators",
    "Liveness",
    "NotRead",
    "ObjectDetections",
    "Observation",
    "SocketReplaced",
    "SpeakerActivity",
    "TranscriptObservation",
    "TurnedPicture",
    "UnanalysedFrames",
    "VisibleHalf",
    "Word",
]
