"""What is kept of a session's ``VisionAnalyser``, so that another one can continue it.

Four parts, by how often they are worth writing. Each component has its own state in the part where it belongs:

- ``HotVision`` (its ``state``): small, changes with every frame. What must not be lost: track numbers, schedules, the
  neutral pose and the baselines of the eyes, scores, counts.
- ``LearnedVision`` (its ``history``): what those are corrected by and measured from, over seconds to minutes.
- ``VerifierFaces``: embeddings of the candidate's face. Biometric data.
- ``VisionPictures`` (its ``pictures``): small grey copies of pictures, to compare later ones with. Large, and useless
  after some seconds: for another analyser in this process or on this machine, not for a database.

With all four of one moment, the session goes on as if nothing had happened, to the bit. A part may be older than
the hot one, or missing: what no longer fits is dropped (``docs/internals/vision.md`` says what is lost then).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proctoring.observations import Box
from proctoring.vision.camera_movement import Backgrounds, CameraMovementState
from proctoring.vision.candidate_assignment import CandidateState
from proctoring.vision.depicted_faces import DepictedFacesState, FacePath
from proctoring.vision.face_gate import FaceGatePictures, FaceGateState
from proctoring.vision.face_swap import FaceSwapState
from proctoring.vision.face_tracking import FaceTrackerState
from proctoring.vision.frame import Luma
from proctoring.vision.gaze import GazeHistory, GazeState
from proctoring.vision.identity.verifier import VerifierFaces, VerifierState
from proctoring.vision.injection import InjectionPictures, InjectionState
from proctoring.vision.liveness.tracker import LivenessHistory, LivenessState
from proctoring.vision.neutral import NeutralPoseState, PoseHistory
from proctoring.vision.object_gate import ObjectGatePictures
from proctoring.vision.orientation import OrientationState
from proctoring.vision.repetition import RepetitionHistory
from proctoring.vision.scene_change import Scene
from proctoring.vision.schedule import ScheduleState
from proctoring.vision.stages.camera import MeasuredDetail
from proctoring.vision.stages.context import Latest
from proctoring.vision.stages.liveness import ScoredFace
from proctoring.vision.stages.objects import ObjectStageState


@dataclass(frozen=True, slots=True, eq=False)
class HotVision:
    """Small, and different after every frame. ``None``: begins anew."""

    schedule: ScheduleState | None = None
    stages: Mapping[str, ScheduleState] = field(default_factory=dict)
    """By the stage's name."""
    latest: Latest | None = None
    face: Box | None = None
    """The candidate's in the last measured frame."""
    gate: FaceGateState | None = None
    swap: FaceSwapState | None = None
    camera: MeasuredDetail | None = None
    tracker: FaceTrackerState | None = None
    candidate: CandidateState | None = None
    movement: CameraMovementState | None = None
    orientation: OrientationState | None = None
    neutral: NeutralPoseState | None = None
    gaze: GazeState | None = None
    depicted: DepictedFacesState | None = None
    injection: InjectionState | None = None
    unchanged_period: float | None = None
    """Of ``LivenessStage``."""
    liveness: LivenessState | None = None
    identity: VerifierState | None = None
    objects: ObjectStageState | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LearnedVision:
    """What was learned from seconds or minutes of frames."""

    backgrounds: Backgrounds | None = None
    neutral: PoseHistory | None = None
    gaze: GazeHistory | None = None
    paths: Mapping[int, FacePath] = field(default_factory=dict)
    """Of faces, by track."""
    liveness: LivenessHistory | None = None
    repetition: RepetitionHistory | None = None
    """The digests of the last minute."""


@dataclass(frozen=True, slots=True, eq=False)
class VisionPictures:
    """Pictures that the next ones are compared with, and what is carried over while they do not change."""

    gate: FaceGatePictures | None = None
    swap: Luma | None = None
    detected: Scene | None = None
    """In which faces were detected last."""
    injection: InjectionPictures | None = None
    repetition: RepetitionHistory | None = None
    """The digests of ten minutes, and the pictures that returned."""
    scored: ScoredFace | None = None
    objects: ObjectGatePictures | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VisionSnapshot:
    """All parts. One that is missing is as of a new session."""

    hot: HotVision = field(default_factory=HotVision)
    learned: LearnedVision = field(default_factory=LearnedVision)
    biometrics: VerifierFaces = field(default_factory=VerifierFaces)
    pictures: VisionPictures = field(default_factory=VisionPictures)
