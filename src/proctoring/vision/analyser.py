"""One session's frames to observations: each analyser at its own rate of media time.

``VisionModels`` are loaded once per process and shared by all threads. A ``VisionAnalyser`` belongs
to one session, is called from one thread at a time, and keeps only small, plain state.
"""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field, replace

import numpy as np

from proctoring.observations import (
    Box,
    Candidate,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    NotRead,
    SceneView,
)
from proctoring.vision.blendshapes import EYE_LOOK_UP, read_blendshapes
from proctoring.vision.camera import look_at_camera
from proctoring.vision.candidate import CandidateClaim, choose_candidate
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.eyes import measure_eyes
from proctoring.vision.following import FaceFollower, FollowedFace
from proctoring.vision.frame import Frame
from proctoring.vision.gaze import EyeSample, GazeReader
from proctoring.vision.head_pose import read_head_pose
from proctoring.vision.identity.embedding import Embedding
from proctoring.vision.identity.watch import IdentityWatch
from proctoring.vision.injection import PERIOD as STREAM_PERIOD
from proctoring.vision.injection import StreamWatch
from proctoring.vision.landmarks import Mesh, face_width, hull
from proctoring.vision.lips import mouth_opening
from proctoring.vision.liveness.watch import LivenessWatch
from proctoring.vision.networks import FaceNetworks, VisionModels
from proctoring.vision.neutral import NeutralPose
from proctoring.vision.pictured_faces import PicturedFaces
from proctoring.vision.scene import SceneWatch
from proctoring.vision.schedule import Schedule
from proctoring.vision.steps import finished

FACE_RATE = 10.0
OBJECT_RATE = 1.0
"""Looks per second of media time."""
SUSPICIOUS_OBJECT_RATE = 2.0
"""Looks per second after a look that saw, or suspected, a phone."""
LIVENESS_RATE = 1.0
_SCENE_PERIOD = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnalysis:
    """What one frame gave."""

    observation: FrameObservation
    meshes: dict[int, Mesh] = field(default_factory=dict)
    """Track to (478, 3) landmarks in frame pixels."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Analyser to the wall time it took."""
    deferred: DeferredDetection | None = None
    """The detection that is due in this frame and too slow to run before the next one."""
    earlier: FrameAnalysis | None = None
    """The result of a deferred detection in an earlier frame, applied since the previous frame."""


class VisionAnalyser:
    """Analyses one session's frames.

    ``analyse_immediate`` runs what is fast and returns what is slow as a deferred detection; its
    result goes to ``apply_result``. ``analyse`` does all three in turn.

    ``mirrored`` declares that the pictures are mirrored, so that left is the candidate's left all
    the same. ``rate`` may be changed at any time. ``reference`` is the embedding of a photo of the
    candidate; without it, the first seconds make one.
    """

    def __init__(
        self,
        models: VisionModels,
        *,
        mirrored: bool = False,
        rate: float = FACE_RATE,
        reference: Embedding | None = None,
    ) -> None:
        self.rate = rate
        """Face looks per second of media time; everything else slows down in proportion."""
        self._models = models
        self._mirrored = mirrored
        self._faces = models.faces
        self._follower = (
            FaceFollower(models.faces.detector, models.faces.landmarker) if models.faces else None
        )
        self._claim: CandidateClaim | None = None
        self._neutral = NeutralPose()
        self._gaze = GazeReader()
        self._scene = SceneWatch()
        self._pictured = PicturedFaces()
        self._liveness = LivenessWatch(models.liveness)
        self._liveness_schedule = Schedule()
        self._identity = IdentityWatch(models.identity, photo=reference, mirrored=mirrored)
        self._stream = StreamWatch()
        self._stream_schedule = Schedule()
        self._scene_schedule = Schedule()
        self._face_schedule = Schedule()
        self._object_schedule = Schedule()
        self._phone_seen = False
        self._persons: tuple[Box, ...] = ()
        """Of the last look at objects."""
        self._candidate_generation = 0

    def is_due(self, time: float) -> bool:
        """Whether a frame of this media time would be looked at. Cheap.

        Deferred detections are requested only in frames that are analysed anyway.
        """
        return self._face_schedule.is_due(time, self._face_period)

    def analyse(self, frame: Frame) -> FrameAnalysis:
        """Run all analysers that are due, deferred detections included."""
        analysis = self.analyse_immediate(frame)
        if analysis.deferred is None:
            return analysis
        return joined(analysis, self.apply_result(finished(analysis.deferred.steps())))

    def analyse_immediate(self, frame: Frame, *, allow_deferred: bool = True) -> FrameAnalysis:
        """Run the fast analysers that are due. Frames must come in the order of their times.

        Args:
            frame: the picture.
            allow_deferred: whether a deferred detection may be requested; pass ``False`` until the
                result of the previous one has been applied.
        """
        height, width = frame.pixels.shape[:2]
        observation = FrameObservation(
            time=frame.time, width=width, height=height, faces=None, candidate=None, objects=None
        )
        meshes: dict[int, Mesh] = {}
        milliseconds: dict[str, float] = {}
        deferred: DeferredDetection | None = None
        if self._face_schedule.take(frame.time, self._face_period):
            began = clock.perf_counter()
            observation = replace(observation, camera=look_at_camera(frame.pixels))
            milliseconds["camera"] = (clock.perf_counter() - began) * 1e3
            began = clock.perf_counter()
            observation, meshes = self._look_at_faces(frame, observation)
            milliseconds["faces"] = (clock.perf_counter() - began) * 1e3
            if observation.faces is not None:
                began = clock.perf_counter()
                observation = self._look_for_life(frame, observation, meshes)
                milliseconds["liveness"] = (clock.perf_counter() - began) * 1e3
                began = clock.perf_counter()
                observation = self._check_identity(frame, observation, meshes)
                milliseconds["identity"] = (clock.perf_counter() - began) * 1e3
            if allow_deferred:
                deferred = self._ask(frame, observation, meshes)
        return FrameAnalysis(observation, meshes, milliseconds, deferred)

    def apply_result(self, result: DeferredResult) -> FrameAnalysis:
        """Apply the result of a deferred detection; the observation holds nothing else."""
        objects = result.objects
        if objects is not None:
            objects = self._pictured.sort_out(objects)
            objects = replace(objects, face_seen=result.face is not None)
            self._phone_seen = bool(objects.phones) or objects.suspects > 0
            if self._phone_seen:
                self._object_schedule.hasten(result.time + self._object_period)
            self._persons = tuple(person.box for person in objects.persons)
            if (
                result.face is not None
                and result.candidate_generation == self._candidate_generation
            ):
                self._liveness.look_for_screens(result.face, objects.phones)
        observation = FrameObservation(
            time=result.time,
            width=result.width,
            height=result.height,
            faces=None,
            candidate=None,
            objects=objects,
        )
        return FrameAnalysis(observation, milliseconds=result.milliseconds)

    def _ask(
        self, frame: Frame, observation: FrameObservation, meshes: dict[int, Mesh]
    ) -> DeferredDetection | None:
        """The deferred detection that is due in a frame, if any."""
        if self._models.objects is None or not self._object_schedule.take(
            frame.time, self._object_period
        ):
            return None
        mesh = meshes.get(observation.candidate.track) if observation.candidate else None
        return DeferredDetection(
            frame,
            self._candidate_generation,
            None if mesh is None else hull(mesh),
            self._models.objects,
        )

    @property
    def _face_period(self) -> float:
        return 1 / self.rate

    @property
    def _object_period(self) -> float:
        rate = SUSPICIOUS_OBJECT_RATE if self._phone_seen else OBJECT_RATE
        return self._slowed(rate)

    def _slowed(self, rate: float) -> float:
        """Seconds between two looks of this rate, longer when everything slows down."""
        return max(1.0, FACE_RATE / self.rate) / rate

    def _look_at_faces(
        self, frame: Frame, observation: FrameObservation
    ) -> tuple[FrameObservation, dict[int, Mesh]]:
        if self._follower is None or self._faces is None:
            return observation, {}
        followed = self._follower.look(frame)
        choice = choose_candidate(self._claim, followed, frame.time)
        self._claim = choice.claim
        if choice.somebody_else:
            self._candidate_generation += 1
            self._liveness.forget()
        scene = self._look_at_scene(frame, followed)
        if choice.somebody_else or (scene is not None and scene.moved):
            self._neutral = NeutralPose()
            self._gaze = GazeReader()
        candidate: Candidate | None
        not_read: tuple[NotRead, ...]
        if choice.face is not None:
            candidate, not_read = self._read_candidate(self._faces, frame, choice.face)
            candidate = replace(candidate, mouth_opening=mouth_opening(choice.face.mesh))
        else:
            candidate, not_read = self._read_lost_candidate(frame.time), ()
        if candidate is not None:
            learned = self._neutral.pose is not None and self._gaze.aim is not None
            candidate = replace(candidate, learned=learned)
        own = None if choice.face is None else choice.face.track
        standings = self._pictured.follow(frame.time, followed, own)
        return (
            replace(
                observation,
                faces=tuple(
                    Face(
                        face.track,
                        face.box,
                        face.presence,
                        standings[face.track].since,
                        standings[face.track].picture,
                    )
                    for face in sorted(followed, key=lambda face: face.track)
                ),
                candidate=candidate,
                not_read=not_read,
                scene=scene,
            ),
            {face.track: face.mesh for face in followed},
        )

    def _look_for_life(
        self, frame: Frame, observation: FrameObservation, meshes: dict[int, Mesh]
    ) -> FrameObservation:
        """The candidate's liveness and the stream's truth: followed always, reported at 1 Hz."""
        track = observation.candidate.track if observation.candidate else None
        mesh = meshes.get(track) if track is not None else None
        if track is not None and mesh is not None:
            self._liveness.follow(frame.time, track, mesh)
            assert observation.candidate is not None  # noqa: S101  (it has a track)
            watched = replace(observation.candidate, blinks=self._liveness.blinks)
            observation = replace(observation, candidate=watched)
        if self._stream_schedule.take(frame.time, STREAM_PERIOD):
            self._stream.look(frame.time, frame.pixels)
        if not self._liveness_schedule.take(frame.time, self._slowed(LIVENESS_RATE)):
            return observation
        observation = replace(observation, stream=self._stream.signs)
        if track is None or mesh is None:
            return observation
        life, unread = self._liveness.look(frame.time, frame.pixels, track, mesh)
        not_read = (unread,) if unread else ()
        return replace(observation, liveness=life, not_read=(*observation.not_read, *not_read))

    def _check_identity(
        self, frame: Frame, observation: FrameObservation, meshes: dict[int, Mesh]
    ) -> FrameObservation:
        """Whether the candidate is who it was: followed always, compared when there is reason."""
        track = observation.candidate.track if observation.candidate else None
        mesh = meshes.get(track) if track is not None else None
        seen = track if mesh is not None else None
        self._identity.follow(frame.time, seen, observation.camera, self._stream.signs)
        if mesh is None or not self._identity.is_due(frame.time):
            return observation
        identity, unread = self._identity.look(
            frame.time,
            frame.pixels,
            mesh,
            alone=len(observation.faces or ()) == 1,
            slowness=self._slowed(1.0),
        )
        not_read = (unread,) if unread else ()
        return replace(observation, identity=identity, not_read=(*observation.not_read, *not_read))

    @property
    def identity_reference(self) -> Embedding | None:
        """The embedding that candidates are compared with, once it is known. Personal data."""
        return self._identity.reference

    def _look_at_scene(self, frame: Frame, faces: tuple[FollowedFace, ...]) -> SceneView | None:
        if not self._scene_schedule.take(frame.time, _SCENE_PERIOD):
            return None
        return self._scene.look(frame.pixels, [face.box for face in faces], self._persons)

    def _read_candidate(
        self, networks: FaceNetworks, frame: Frame, face: FollowedFace
    ) -> tuple[Candidate, tuple[NotRead, ...]]:
        height, width = frame.pixels.shape[:2]
        pose = read_head_pose(networks.canonical, face.mesh, width, height)
        if pose is None:
            reason = "the landmarks fit no head"
            return (
                Candidate(face.track, None, None, None),
                (NotRead("head", reason), NotRead("gaze", reason)),
            )
        self._neutral.update(frame.time, pose)
        head = self._neutral.relative(pose)
        not_read: tuple[NotRead, ...] = ()
        if head is None:
            not_read = (NotRead("head", "neutral pose not yet learned"),)
        eyes = measure_eyes(face.mesh)
        if eyes is None:
            return (
                Candidate(face.track, self._own_side(head), None, None),
                (*not_read, NotRead("gaze", "eyes hidden by the turn of the head")),
            )
        scores = read_blendshapes(networks.blendshapes, face.mesh)
        look_up = float(np.mean(scores[list(EYE_LOOK_UP)]))
        reading = self._gaze.read(
            EyeSample(frame.time, eyes, look_up, pose),
            head,
            neutral_learned=self._neutral.learned,
            face_pixels=face_width(face.mesh),
        )
        if reading.reason:
            what = "gaze" if reading.gaze is None else "gaze up and down"
            not_read = (*not_read, NotRead(what, reading.reason))
        return (
            Candidate(
                face.track, self._own_side(head), self._own_gaze(reading.gaze), reading.eyes_open
            ),
            not_read,
        )

    def _read_lost_candidate(self, time: float) -> Candidate | None:
        gaze = self._gaze.read_lost(time)
        if gaze is None or self._claim is None:
            return None
        return Candidate(self._claim.track, None, gaze, None)

    def _own_side(self, head: HeadPose | None) -> HeadPose | None:
        if head is None or not self._mirrored:
            return head
        return HeadPose(-head.yaw, head.pitch, -head.roll)

    def _own_gaze(self, gaze: Gaze | None) -> Gaze | None:
        if gaze is None or not self._mirrored:
            return gaze
        return replace(gaze, yaw=-gaze.yaw)


def joined(immediate: FrameAnalysis, deferred: FrameAnalysis) -> FrameAnalysis:
    """The immediate and the deferred analysis of one frame as one."""
    return replace(
        immediate,
        observation=replace(immediate.observation, objects=deferred.observation.objects),
        milliseconds={**immediate.milliseconds, **deferred.milliseconds},
        deferred=None,
    )
