"""Phones, persons and screens: too slow for a frame, hence requested with one frame and applied later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proctoring.observations import ObjectDetections
from proctoring.vision.deferred import DeferredDetection, DeferredResult
from proctoring.vision.depicted_faces import DepictedFaceDetector
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import hull
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.schedule import Schedule
from proctoring.vision.stages.context import Context, Latest, ObservationPart
from proctoring.vision.steps import Steps

OBJECT_RATE = 1.0
"""Detections per second of media time."""
SUSPICIOUS_OBJECT_RATE = 2.0
"""Detections per second after one that found, or suspected, a phone."""


class ObjectStage:
    """The deferred stage of a session: ``request`` and ``apply`` instead of ``run``.

    Args:
        detect: the detector; ``None``: off.
        depicted: knows which faces, and so which persons, are pictures.
        liveness: learns whether the candidate's face lies within a phone.
    """

    def __init__(
        self,
        detect: Callable[[Pixels], Steps[ObjectDetections]] | None,
        depicted: DepictedFaceDetector,
        liveness: LivenessTracker,
    ) -> None:
        self._detect = detect
        self._depicted = depicted
        self._liveness = liveness
        self._schedule = Schedule()
        self._phone_suspected = False

    def request(self, context: Context) -> DeferredDetection | None:
        """The detection in this frame, if one is due."""
        if self._detect is None:
            return None
        if not self._schedule.start_if_due(context.frame.time, self._period(context.slowdown)):
            return None
        face = context.candidate
        return DeferredDetection(
            context.frame,
            context.latest.candidate_generation,
            None if face is None else hull(face.mesh),
            self._detect,
        )

    def apply(self, result: DeferredResult, latest: Latest, slowdown: float) -> ObservationPart:
        """Take the result of a detection into the session; gives ``objects``."""
        if result.objects is None:
            return {}
        objects = self._depicted.separate_depicted(result.objects)
        objects = replace(objects, face_seen=result.face is not None)
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
