"""Phones, persons and screens: too slow for a frame, hence requested with one frame and applied later."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial

from proctoring.observations import Box
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.landmarks import hull
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.object_gate import ObjectGate, ObjectGatePictures, ObjectGateState
from proctoring.vision.objects import DetectInSteps
from proctoring.vision.scene_change import scene_of
from proctoring.vision.schedule import Schedule, ScheduleState
from proctoring.vision.stages.context import Context, Latest, ObservationPart

OBJECT_RATE = 1.0
"""Detections per second of media time."""
SUSPICIOUS_OBJECT_RATE = 2.0
"""Detections per second after one that found, or suspected, a phone."""


@dataclass(frozen=True, slots=True)
class ObjectStageState:
    """What is known of the last results, apart from pictures and the results themselves."""

    schedule: ScheduleState = field(default_factory=ScheduleState)
    phone_suspected: bool = False
    detected_at: float = 0.0
    """Media time of the frame of the last result."""
    gate: ObjectGateState = field(default_factory=ObjectGateState)


class ObjectStage:
    """The deferred stage of a session: ``request`` and ``apply`` instead of ``run``.

    Args:
        detect: the detector; ``None``: off.
        depicted: knows which faces, and so which persons, are pictures.
        liveness: learns whether the candidate's face lies within a phone.
        gated: whether results are carried over while nothing but the candidate's face changes.
        state: of a continued session. A detection that had not ended then is made again.
        pictures: its scenes.
    """

    def __init__(
        self,
        detect: DetectInSteps | None,
        depicted: DepictedFaceDetector,
        liveness: LivenessTracker,
        *,
        gated: bool = True,
        state: ObjectStageState | None = None,
        pictures: ObjectGatePictures | None = None,
    ) -> None:
        state = state or ObjectStageState()
        self._detect = detect
        self._depicted = depicted
        self._liveness = liveness
        self._schedule = Schedule(state.schedule)
        self._phone_suspected = state.phone_suspected
        self._detected_at = state.detected_at
        self._gate = ObjectGate(state.gate, pictures) if gated else None

    @property
    def state(self) -> ObjectStageState:
        """For a snapshot."""
        gate = ObjectGateState() if self._gate is None else self._gate.state
        return ObjectStageState(
            self._schedule.state, self._phone_suspected, self._detected_at, gate
        )

    @property
    def pictures(self) -> ObjectGatePictures | None:
        """For a snapshot."""
        return None if self._gate is None else self._gate.pictures

    def is_due(self, time: float) -> bool:
        """Whether a result is due in a frame of this media time, at the full rate."""
        return self._schedule.is_due(time, self._period(1.0))

    def request(self, context: Context) -> DeferredDetection | None:
        """The detection in this frame, if one is due.

        Where the last result still holds, that is carried over instead, as this frame's ``objects``.
        """
        if self._detect is None:
            return None
        if not self._schedule.start_if_due(context.frame.time, self._period(context.slowdown)):
            return None
        face = context.candidate
        box = None if face is None else hull(face.mesh)
        detect = self._detect
        if self._gate is not None:
            scene = scene_of(context.frame, () if box is None else (box,))
            track = None if face is None else face.track
            if self._gate.is_same(scene, track):
                self._carry_over(context, box)
                return None
            close = self._gate.needs_close_view(scene)
            self._gate.requested(scene, track, close=close)
            if not close:
                detect = partial(detect, close=False)
        return DeferredDetection(context.frame, context.latest.candidate_generation, box, detect)

    def _carry_over(self, context: Context, face: Box | None) -> None:
        objects = context.latest.objects
        if objects is None:
            return
        since = self._detected_at if objects.carried_since is None else objects.carried_since
        objects = replace(objects, carried_since=since, face_seen=face is not None)
        context.latest.objects = objects
        if face is not None:
            self._liveness.update_screens(face, objects.phones)
        context.add({"objects": objects})

    def apply(self, result: DeferredResult, latest: Latest, slowdown: float) -> ObservationPart:
        """Take the result of a detection into the session; gives ``objects``."""
        if result.objects is None:
            return {}
        objects = self._depicted.separate_depicted(result.objects)
        objects = replace(objects, face_seen=result.face is not None)
        self._detected_at = result.time
        if self._gate is not None:
            self._gate.applied(result.time, objects)
        self._phone_suspected = bool(objects.phones) or objects.suspects > 0
        if self._phone_suspected:
            self._schedule.advance_to(result.time + self._period(slowdown))
        latest.objects = objects
        same_person = result.candidate_generation == latest.candidate_generation
        if result.face is not None and same_person:
            self._liveness.update_screens(result.face, objects.phones)
        return {"objects": objects}

    def _period(self, slowdown: float) -> float:
        return slowdown / (SUSPICIOUS_OBJECT_RATE if self._phone_suspected else OBJECT_RATE)
