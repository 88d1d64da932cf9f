"""One session's frames to observations: a list of stages, each with a period of media time.

``VisionModels`` are loaded once per process and shared by all threads. A ``VisionAnalyser`` belongs
to one session, is called from one thread at a time, and keeps only small, plain state.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from proctoring.observations import Attention, FrameObservation
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.face_gate import FaceGate
from proctoring.vision.face_stages import FaceStages
from proctoring.vision.face_swap import FaceSwap
from proctoring.vision.frame import Frame
from proctoring.vision.identity.embedding import Embedding
from proctoring.vision.identity.reference import FaceReference
from proctoring.vision.identity.verifier import IdentityVerifier, VerifierFaces
from proctoring.vision.landmarks import Mesh
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.networks import VisionModels
from proctoring.vision.schedule import Schedule
from proctoring.vision.snapshot import HotVision, LearnedVision, VisionPictures, VisionSnapshot
from proctoring.vision.stages.camera import CameraStage
from proctoring.vision.stages.context import Context, Latest, observation_of
from proctoring.vision.stages.objects import ObjectStage
from proctoring.vision.stages.stage import Stage, StageLoop, timed
from proctoring.vision.steps import run_to_completion

_SWAPPED = "swapped"
"""Why faces are measured where another picture has taken the place of a face that rested."""
FACE_RATE = 10.0
"""Analysed frames per second of media time, unless the session's rate is reduced."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameAnalysis:
    """The result of one frame."""

    observation: FrameObservation
    meshes: dict[int, Mesh] = field(default_factory=dict)
    """Track to (478, 3) landmarks in frame pixels."""
    milliseconds: dict[str, float] = field(default_factory=dict)
    """Stage to the wall time it took; also ``decode`` and ``change``, the comparison with the frame in which
    faces were measured last."""
    deferred: DeferredDetection | None = None
    """The detection that is due in this frame and too slow to run before the next one."""
    earlier: FrameAnalysis | None = None
    """The result of a deferred detection in an earlier frame, applied since the previous frame."""
    measured: str = ""
    """Why faces were measured in this frame; empty: they were carried over, or there are none."""


class VisionAnalyser:
    """Analyses one session's frames.

    ``analyse_immediate`` runs the stages that are fast and returns what is slow as a deferred
    detection; its result goes to ``apply_result``. ``analyse`` does all three in turn.

    Args:
        models: the networks; shared with other sessions.
        mirrored: whether the pictures are mirrored; left is the candidate's left all the same.
        rate: analysed frames per second of media time; may be changed at any time.
        reference: from a photo of the candidate; without it, the first seconds make one.
        gated: whether faces and objects are carried over while nothing has changed; ``False``: faces are
            measured in every frame, objects once a second.
        kept: the snapshot of an analyser whose session this one continues. Its other arguments must be the
            same, except for ``models`` and ``rate``; ``reference`` is used if there is none in the snapshot.
    """

    def __init__(
        self,
        models: VisionModels,
        *,
        mirrored: bool = False,
        rate: float = FACE_RATE,
        reference: FaceReference | None = None,
        gated: bool = True,
        kept: VisionSnapshot | None = None,
    ) -> None:
        kept = kept or VisionSnapshot()
        hot, pictures = kept.hot, kept.pictures
        self.rate = rate
        """Below ``FACE_RATE``, the periods of scaled stages grow in proportion."""
        self.attention = Attention.EVERY_FRAME
        """How closely faces are followed; set by who judges the observations."""
        self._depicted = DepictedFaceDetector(hot.depicted, kept.learned.paths)
        self._liveness = LivenessTracker(models.liveness, hot.liveness, kept.learned.liveness)
        self._identity = IdentityVerifier(
            models.identity,
            reference=reference,
            mirrored=mirrored,
            state=hot.identity,
            faces=kept.biometrics,
        )
        self._camera = CameraStage(hot.camera)
        self._faces: FaceStages | None = None
        stages: tuple[Stage, ...] = (self._camera,)
        if models.faces is not None:
            self._faces = FaceStages(
                models.faces,
                self._camera,
                self._depicted,
                self._liveness,
                self._identity,
                kept=kept,
                mirrored=mirrored,
                gated=gated,
            )
            stages = self._faces.in_order
        self._stages = StageLoop(stages, hot.stages)
        self._objects = ObjectStage(
            models.objects,
            self._depicted,
            self._liveness,
            gated=gated,
            state=hot.objects,
            pictures=pictures.objects,
        )
        self._schedule = Schedule(hot.schedule)
        self._latest = replace(hot.latest or Latest())
        self._gate = None
        if gated and models.faces is not None:
            self._gate = FaceGate(hot.gate, pictures.gate)
        self._swap = FaceSwap(hot.swap, pictures.swap)
        self._face = hot.face
        """The candidate's in the last measured frame."""

    def is_due(self, time: float) -> bool:
        """Whether a frame of this media time would be analysed. Cheap."""
        return self._schedule.is_due(time, 1 / self.rate)

    def analyse(self, frame: Frame) -> FrameAnalysis:
        """Run all stages that are due, deferred detections included."""
        analysis = self.analyse_immediate(frame)
        if analysis.deferred is None:
            return analysis
        return merge_deferred(
            analysis, self.apply_result(run_to_completion(analysis.deferred.steps()))
        )

    def analyse_immediate(self, frame: Frame, *, allow_deferred: bool = True) -> FrameAnalysis:
        """Run the fast stages that are due. Frames must come in the order of their times.

        Args:
            frame: the picture.
            allow_deferred: whether a deferred detection may be requested; pass ``False`` until the
                result of the previous one has been applied.

        Raises:
            BadFrameError: the picture is damaged; nothing has changed.
        """
        if not self._schedule.is_due(frame.time, 1 / self.rate):
            return FrameAnalysis(Context(frame, self._slowdown, self._latest).observation())
        milliseconds: dict[str, float] = {}
        why = self._decode(frame, milliseconds)
        self._schedule.start_if_due(frame.time, 1 / self.rate)
        carried = None
        if not why and self._gate is not None:
            carried = self._gate.last
        calm = self._gate is not None and self.attention is Attention.USUAL
        context = Context(frame, self._slowdown, self._latest, carried, calm, why == _SWAPPED)
        milliseconds |= self._stages.run(context)
        if self._gate is not None and carried is None:
            self._gate.remember(context)
            self._face = None if context.candidate is None else context.candidate.box
        deferred = self._objects.request(context) if allow_deferred else None
        return FrameAnalysis(
            context.observation(),
            {face.track: face.mesh for face in context.faces},
            milliseconds,
            deferred,
            measured=why,
        )

    def _decode(self, frame: Frame, milliseconds: dict[str, float]) -> str:
        """Decode what is needed of a frame, and decide why faces are measured in it; empty: they are
        carried over. Damaged data raise here, before anything has changed.

        Both the pixels and the small grey copy are decoded only where it takes the copy to decide: a copy
        of pixels that are there costs half as much.
        """
        why = self._why_measure_unseen(frame.time)
        with timed(milliseconds, "decode"):
            if why:
                frame.pixels  # noqa: B018  # decodes it
            frame.luma  # noqa: B018
        if self._gate is None:
            return why
        with timed(milliseconds, "change"):
            if self._swap.update(frame, self._face):
                why = _SWAPPED
            seen = "" if why else self._gate.why_measure(frame.time, frame.luma, self.attention)
        if not frame.decoded and (why or seen):
            of_luma = milliseconds["decode"]
            with timed(milliseconds, "decode"):
                frame.pixels  # noqa: B018
            milliseconds["decode"] += of_luma
        return why or seen

    def _why_measure_unseen(self, time: float) -> str:
        """Why faces are measured in a frame of this media time, whatever it shows; empty: see its copy."""
        if self._gate is None:
            return "always"
        if self.attention is Attention.EVERY_FRAME:
            return "pending"
        if self._stages.needs_faces(time, self._slowdown):
            return "due"
        return self._gate.why_measure_unseen(time)

    def apply_result(self, result: DeferredResult) -> FrameAnalysis:
        """Apply the result of a deferred detection; the observation holds nothing else."""
        part = self._objects.apply(result, self._latest, self._slowdown)
        observation = observation_of(result.time, result.width, result.height, part)
        return FrameAnalysis(observation, milliseconds=result.milliseconds)

    @property
    def identity_reference(self) -> Embedding | None:
        """The embedding that candidates are compared with, once it is known. Personal data."""
        reference = self._identity.reference
        return None if reference is None else reference.whole

    def snapshot(self) -> VisionSnapshot:
        """All that another analyser needs to continue this session. What it holds does not change any more.
        A deferred detection that has not been applied is not part of it."""
        return VisionSnapshot(self.hot(), self.learned(), self.biometrics(), self.pictures())

    def hot(self) -> HotVision:
        """The part of the snapshot that is small and differs after every frame. A fraction of a millisecond."""
        part = HotVision(
            schedule=self._schedule.state,
            stages=self._stages.schedules,
            latest=replace(self._latest),
            face=self._face,
            gate=None if self._gate is None else self._gate.state,
            swap=self._swap.state,
            camera=self._camera.measured,
            depicted=self._depicted.state,
            liveness=self._liveness.state,
            identity=self._identity.state,
            objects=self._objects.state,
        )
        return part if self._faces is None else self._faces.add_hot(part)

    def learned(self) -> LearnedVision:
        """The part that is learned in seconds and minutes."""
        part = LearnedVision(paths=self._depicted.paths, liveness=self._liveness.history)
        return part if self._faces is None else self._faces.add_learned(part)

    def biometrics(self) -> VerifierFaces:
        """Embeddings of the candidate's face. Biometric data."""
        return self._identity.faces

    def pictures(self) -> VisionPictures:
        """Small copies of pictures of the last seconds and minutes, up to a megabyte."""
        part = VisionPictures(
            gate=None if self._gate is None else self._gate.pictures,
            swap=self._swap.before,
            objects=self._objects.pictures,
        )
        return part if self._faces is None else self._faces.add_pictures(part)

    @property
    def progress(self) -> tuple[object, ...]:
        """Differs when something was learned, or is learned anew: a good moment to keep ``learned`` and
        ``biometrics``. Cheap."""
        faces = () if self._faces is None else self._faces.learned
        return (self._identity.reference is not None, *faces)

    @property
    def _slowdown(self) -> float:
        return max(1.0, FACE_RATE / self.rate)


def merge_deferred(immediate: FrameAnalysis, deferred: FrameAnalysis) -> FrameAnalysis:
    """The immediate and the deferred analysis of one frame as one."""
    return replace(
        immediate,
        observation=replace(immediate.observation, objects=deferred.observation.objects),
        milliseconds={**immediate.milliseconds, **deferred.milliseconds},
        deferred=None,
    )
