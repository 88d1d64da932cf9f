"""Where the candidate looks, and whether the eyes are open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from proctoring.models.network import Network
from proctoring.observations import Gaze, NotRead
from proctoring.vision.blendshapes import EYE_LOOK_UP, estimate_blendshapes
from proctoring.vision.covered_eyes import covered_eye
from proctoring.vision.eyes import measure_eyes
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.gaze import EyeMeasurement, GazeEstimator
from proctoring.vision.landmarks import face_width
from proctoring.vision.stages.context import CandidatePart, Context, ObservationPart
from proctoring.vision.stages.head import NO_POSE
from proctoring.vision.stages.stage import Stage


class GazeStage(Stage):
    """Gives ``candidate.gaze``, ``eyes_open`` and ``baseline_ready``; needs ``Context.head``.

    Args:
        blendshapes: the network of expression scores.
        mirrored: whether the session's pictures are mirrored.
        estimator: of a continued session.
    """

    name = "gaze"
    measures_faces = True

    def __init__(
        self, blendshapes: Network, *, mirrored: bool, estimator: GazeEstimator | None = None
    ) -> None:
        self._blendshapes = blendshapes
        self._mirrored = mirrored
        self.estimator = estimator or GazeEstimator()
        """What is known of the gaze."""

    def run(self, context: Context) -> ObservationPart:
        """Estimate the gaze, also in the first seconds after the face was lost."""
        if context.baselines_void:
            self.estimator = GazeEstimator()
        if context.candidate is None:
            part = self._while_lost(context)
        else:
            part = self._of_face(context, context.candidate)
        context.learning |= not self.estimator.learned
        if "candidate" in part:
            known = context.head.neutral_known and self.estimator.aim is not None
            part["candidate"]["baseline_ready"] = known
        return part

    def _while_lost(self, context: Context) -> ObservationPart:
        gaze = self.estimator.estimate_while_lost(context.frame.time)
        if gaze is None or context.candidate_track is None:
            return {}
        return {"candidate": {"track": context.candidate_track, "gaze": gaze}}

    def _of_face(self, context: Context, face: TrackedFace) -> ObservationPart:
        candidate: CandidatePart = {"gaze": None}
        pose = context.head.pose
        if pose is None:
            return {"candidate": candidate, "not_read": (NotRead("gaze", NO_POSE),)}
        eyes = measure_eyes(face.mesh)
        if eyes is None:
            reason = "eyes hidden by the turn of the head"
            return {"candidate": candidate, "not_read": (NotRead("gaze", reason),)}
        over = covered_eye(context.frame.pixels, face.mesh)
        if over:
            return {"candidate": candidate, "not_read": (NotRead("gaze", over),)}
        look_up = 0.0
        if self.estimator.needs_look_up(eyes, context.head.turn):
            scores = estimate_blendshapes(self._blendshapes, face.mesh)
            look_up = float(np.mean(scores[list(EYE_LOOK_UP)]))
        reading = self.estimator.estimate(
            EyeMeasurement(context.frame.time, eyes, look_up, pose),
            context.head.turn,
            neutral_learned=context.head.neutral_learned,
            face_pixels=face_width(face.mesh),
        )
        candidate["gaze"] = self._as_candidate_sees(reading.gaze)
        candidate["eyes_open"] = reading.eyes_open
        if not reading.reason:
            return {"candidate": candidate}
        what = "gaze" if reading.gaze is None else "gaze up and down"
        return {"candidate": candidate, "not_read": (NotRead(what, reading.reason),)}

    def _as_candidate_sees(self, gaze: Gaze | None) -> Gaze | None:
        return replace(gaze, yaw=-gaze.yaw) if gaze is not None and self._mirrored else gaze
