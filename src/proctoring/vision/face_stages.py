"""The stages of one session that need faces, and what is kept of them in a snapshot."""

from __future__ import annotations

from dataclasses import replace

from proctoring.vision.camera_movement import CameraMovementDetector
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.gaze import GazeEstimator
from proctoring.vision.identity.verifier import IdentityVerifier
from proctoring.vision.injection import InjectionDetector
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.networks import FaceNetworks
from proctoring.vision.neutral import NeutralPose
from proctoring.vision.orientation import OrientationDetector
from proctoring.vision.repetition import RepetitionDetector
from proctoring.vision.snapshot import HotVision, LearnedVision, VisionPictures, VisionSnapshot
from proctoring.vision.stages.camera import CameraStage
from proctoring.vision.stages.camera_movement import CameraMovementStage
from proctoring.vision.stages.candidate import CandidateStage
from proctoring.vision.stages.depicted_faces import DepictedFacesStage
from proctoring.vision.stages.faces import FaceStage
from proctoring.vision.stages.gaze import GazeStage
from proctoring.vision.stages.head import HeadStage
from proctoring.vision.stages.identity import IdentityStage
from proctoring.vision.stages.injection import (
    DecodedFrameStage,
    InjectionStage,
    RepetitionStage,
    StreamStage,
)
from proctoring.vision.stages.liveness import FaceMotionStage, LivenessStage
from proctoring.vision.stages.mouth import MouthStage
from proctoring.vision.stages.orientation import OrientationStage
from proctoring.vision.stages.stage import Stage

_LEARNED_PICTURES = 600
"""Digests in the learned part: a minute at ten frames a second, 10 kB."""


class FaceStages:
    """Made new, or as they were in a snapshot.

    Args:
        networks: shared with other sessions.
        camera: the stage, which also runs without faces.
        depicted: shared with ``ObjectStage``, as is ``liveness``.
        liveness: see there.
        identity: the session's.
        kept: the snapshot; empty for a new session.
        mirrored: whether the session's pictures are mirrored.
        gated: see ``FaceTracker``.
    """

    def __init__(
        self,
        networks: FaceNetworks,
        camera: CameraStage,
        depicted: DepictedFaceDetector,
        liveness: LivenessTracker,
        identity: IdentityVerifier,
        *,
        kept: VisionSnapshot,
        mirrored: bool,
        gated: bool,
    ) -> None:
        hot, learned, pictures = kept.hot, kept.learned, kept.pictures
        self._tracker = FaceTracker(
            networks.detector,
            networks.landmarker,
            gated=gated,
            state=hot.tracker,
            detected=pictures.detected,
        )
        self._candidate = CandidateStage(hot.candidate)
        self._movement = CameraMovementDetector(hot.movement, learned.backgrounds)
        self._orientation = OrientationDetector(
            networks.detector, networks.landmarker, hot.orientation
        )
        neutral = NeutralPose(hot.neutral, learned.neutral)
        self._head = HeadStage(networks.canonical, mirrored=mirrored, neutral=neutral)
        estimator = GazeEstimator(hot.gaze, learned.gaze)
        self._gaze = GazeStage(networks.blendshapes, mirrored=mirrored, estimator=estimator)
        self._injection = InjectionDetector(hot.injection, pictures.injection)
        self._repetition = RepetitionDetector(pictures.repetition or learned.repetition)
        self._liveness = LivenessStage(liveness, pictures.scored, hot.unchanged_period)
        self.in_order: tuple[Stage, ...] = (
            FaceStage(self._tracker),
            camera,
            self._candidate,
            CameraMovementStage(self._movement),
            OrientationStage(self._orientation),
            self._head,
            self._gaze,
            MouthStage(),
            DepictedFacesStage(depicted),
            FaceMotionStage(liveness),
            InjectionStage(self._injection),
            DecodedFrameStage(self._injection),
            RepetitionStage(self._repetition),
            StreamStage(self._repetition),
            self._liveness,
            IdentityStage(identity),
        )
        """Each uses what those before it found."""

    def add_hot(self, part: HotVision) -> HotVision:
        """The part with what is kept of these stages."""
        return replace(
            part,
            tracker=self._tracker.state,
            candidate=self._candidate.state,
            movement=self._movement.state,
            orientation=self._orientation.state,
            neutral=self._head.neutral.state,
            gaze=self._gaze.estimator.state,
            injection=self._injection.state,
            unchanged_period=self._liveness.unchanged_period,
        )

    def add_learned(self, part: LearnedVision) -> LearnedVision:
        """Likewise."""
        return replace(
            part,
            backgrounds=self._movement.backgrounds,
            neutral=self._head.neutral.history,
            gaze=self._gaze.estimator.history,
            repetition=self._repetition.history(_LEARNED_PICTURES, returned=False),
        )

    def add_pictures(self, part: VisionPictures) -> VisionPictures:
        """Likewise."""
        return replace(
            part,
            detected=self._tracker.detected,
            injection=self._injection.pictures,
            repetition=self._repetition.history(),
            scored=self._liveness.scored,
        )

    @property
    def learned(self) -> tuple[bool, bool, bool, float | None, float | None, float | None]:
        """What has been learned; differs when there is more or less of it."""
        neutral, gaze = self._head.neutral, self._gaze.estimator
        return (
            neutral.learned,
            gaze.aim_settled,
            gaze.lids_settled,
            neutral.began,
            gaze.began,
            self._movement.state.reference_since,
        )
