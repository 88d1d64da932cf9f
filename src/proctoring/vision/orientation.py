"""Detects that the picture is turned by 90, 180 or 270 degrees.

Such a picture has no upright face, and one if it is turned back. So has a picture of a head that lies on
a table, but there the background is still that of an upright picture. Some faces that are upside down are
taken for upright ones; the detector is then surer of them turned back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from proctoring.models.network import Network
from proctoring.observations import CameraMovement, TurnedPicture
from proctoring.vision.camera_movement import CHANGED_BELOW
from proctoring.vision.face_detection import FaceDetection, detect_faces
from proctoring.vision.face_tracking import MIN_PRESENCE, TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import (
    Mesh,
    estimate_landmarks,
    region_of_detection,
    region_of_mesh,
)
from proctoring.vision.schedule import Schedule, ScheduleState

ATTEMPT_PERIOD = 0.5
"""Seconds between two attempts; each runs the face detector once, on one rotation."""
MIN_HITS = 4
"""Attempts in a row that must find a face at one rotation before the picture is certainly turned."""
MAX_MISSES = 20
"""Attempts in a row without a face after which a turned picture no longer counts as turned."""

_MAX_TILT = 45.0
"""Degrees up to which a tracked face is upright."""
_MAX_TURNED_TILT = 30.0
"""The same for a detection in a picture that was turned back. Measured on 37 clips, three frames of each:
upright faces up to 18 degrees, sideways ones from 20 on, nine of ten from 45 on."""
_MIN_SCORE = 0.65
"""Of the face detector. Upright faces in the same frames have from .68, a cup on a table .57 and, with the
picture cut, .71: therefore landmarks must confirm a face."""
_MIN_GAIN = 0.05
"""By how much the score of the face turned back must exceed that of the one that seems upright. In the
same frames: by .09 and more if it is upside down, by -.14 at most if it is upright. After one such find,
a gain above the negative of this confirms it."""
_UPRIGHT_TIME = 2.0
"""Seconds of an upright face after which the background counts as that of an upright picture."""
_ROTATIONS = {
    180: cv2.ROTATE_180,
    90: cv2.ROTATE_90_CLOCKWISE,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_ORDER = tuple(_ROTATIONS)


@dataclass(frozen=True, slots=True)
class OrientationState:
    """What is known of how the picture is turned."""

    schedule: ScheduleState = field(default_factory=ScheduleState)
    rotation: int = 0
    """Place in ``_ORDER`` of the rotation of the next attempt."""
    hits: int = 0
    misses: int = 0
    """Attempts in a row that found a face, or none."""
    upright_since: float | None = None
    background_is_upright: bool = False
    background_changed: bool = False


class OrientationDetector:
    """Looks for turned faces in one session's pictures while they have no upright one.

    Args:
        detector: the face detector.
        landmarker: the landmark network.
        state: of a continued session.
    """

    def __init__(
        self, detector: Network, landmarker: Network, state: OrientationState | None = None
    ) -> None:
        state = state or OrientationState()
        self._detector = detector
        self._landmarker = landmarker
        self._schedule = Schedule(state.schedule)
        self._next = state.rotation
        self._hits = state.hits
        self._misses = state.misses
        self._upright_since = state.upright_since
        self._background_is_upright = state.background_is_upright
        self._background_changed = state.background_changed

    @property
    def state(self) -> OrientationState:
        """For a snapshot."""
        return OrientationState(
            self._schedule.state,
            self._next,
            self._hits,
            self._misses,
            self._upright_since,
            self._background_is_upright,
            self._background_changed,
        )

    def update(
        self, frame: Frame, faces: Sequence[TrackedFace], scene: CameraMovement | None
    ) -> TurnedPicture | None:
        """How the picture is turned; ``None``: it is upright, or no face says that it is not.

        Args:
            frame: the picture.
            faces: all faces that are tracked in it.
            scene: comparison of its background, where there was one in this frame.
        """
        if scene is not None:
            self._background_changed = (
                scene.similarity is not None and scene.similarity < CHANGED_BELOW
            )
            # The reference is then the background of the picture as it is now.
            self._background_is_upright &= not scene.moved
        upright = any(abs(_tilt(face.mesh)) <= _MAX_TILT for face in faces)
        if upright and not self._is_upside_down(frame):
            since = frame.time if self._upright_since is None else self._upright_since
            self._upright_since = since
            self._background_is_upright |= frame.time - since >= _UPRIGHT_TIME
            self._forget()
            return None
        self._upright_since = None
        if self._background_is_upright and not self._background_changed:
            self._forget()
            return None
        if not upright and self._schedule.start_if_due(frame.time, ATTEMPT_PERIOD):
            self._attempt(frame.pixels)
        if not self._hits:
            return None
        return TurnedPicture(_ORDER[self._next], certain=self._hits >= MIN_HITS)

    def _is_upside_down(self, frame: Frame) -> bool:
        """Whether the face that seems upright is upside down; looked at before it has been seen for long."""
        if self._background_is_upright:
            return False
        if self._schedule.start_if_due(frame.time, ATTEMPT_PERIOD):
            upright, turned = self._surest(frame.pixels), self._surest(_turned(frame.pixels, 180))
            gain = _score(turned) - _score(upright)
            upside_down = gain >= (-_MIN_GAIN if self._hits else _MIN_GAIN)
            self._next = _ORDER.index(180)
            self._hits, self._misses = (self._hits + 1 if upside_down else 0), 0
        return self._hits > 0

    def _attempt(self, pixels: Pixels) -> None:
        turned = _turned(pixels, _ORDER[self._next])
        found = self._surest(turned)
        if found is not None and found.score >= _MIN_SCORE and self._is_face(turned, found):
            self._hits, self._misses = self._hits + 1, 0
            return
        self._misses += 1
        if self._hits < MIN_HITS or self._misses >= MAX_MISSES:
            self._forget()
            self._next = (self._next + 1) % len(_ORDER)

    def _surest(self, pixels: Pixels) -> FaceDetection | None:
        """The upright face of the highest score."""
        upright = [
            face
            for face in detect_faces(self._detector, pixels)
            if abs(_tilt_of_detection(face)) <= _MAX_TURNED_TILT
        ]
        return max(upright, key=lambda face: face.score, default=None)

    def _is_face(self, pixels: Pixels, found: FaceDetection) -> bool:
        """Whether the landmarks confirm an upright face."""
        mesh, presence = estimate_landmarks(self._landmarker, pixels, region_of_detection(found))
        return presence >= MIN_PRESENCE and abs(_tilt(mesh)) <= _MAX_TILT

    def _forget(self) -> None:
        self._hits = self._misses = 0


def _turned(pixels: Pixels, degrees: int) -> Pixels:
    return np.asarray(cv2.rotate(pixels, _ROTATIONS[degrees]), np.uint8)


def _score(found: FaceDetection | None) -> float:
    return 0.0 if found is None else found.score


def _tilt_of_detection(face: FaceDetection) -> float:
    (right_x, right_y), (left_x, left_y) = face.right_eye, face.left_eye
    return math.degrees(math.atan2(left_y - right_y, left_x - right_x))


def _tilt(mesh: Mesh) -> float:
    """Degrees by which the line through the eyes is turned in the picture, clockwise."""
    return math.degrees(region_of_mesh(mesh).angle)
