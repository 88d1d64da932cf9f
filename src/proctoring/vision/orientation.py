"""Detects that the picture is turned by 90, 180 or 270 degrees.

Such a picture has no upright face, and one if it is turned back. So has a picture of a head that lies on
a table, but there the background is still that of an upright picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from proctoring.models.runtime import Network
from proctoring.observations import CameraMovement, TurnedPicture
from proctoring.vision.camera_movement import CHANGED_BELOW
from proctoring.vision.face_detection import detect_faces
from proctoring.vision.face_tracking import TrackedFace
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import region_of_mesh
from proctoring.vision.schedule import Schedule

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
"""Of the face detector. Upright faces in the same frames have from .68, and a picture without people up
to .57."""
_UPRIGHT_TIME = 2.0
"""Seconds of an upright face after which the background counts as that of an upright picture."""
_ROTATIONS = {
    180: cv2.ROTATE_180,
    90: cv2.ROTATE_90_CLOCKWISE,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}
_ORDER = tuple(_ROTATIONS)


class OrientationDetector:
    """Looks for turned faces in one session's pictures while they have no upright one."""

    def __init__(self, detector: Network) -> None:
        self._detector = detector
        self._schedule = Schedule()
        self._next = 0
        self._hits = 0
        self._misses = 0
        self._upright_since: float | None = None
        self._background_is_upright = False
        self._background_changed = False

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
        if any(abs(_tilt(face)) <= _MAX_TILT for face in faces):
            since = frame.time if self._upright_since is None else self._upright_since
            self._upright_since = since
            self._background_is_upright |= frame.time - since >= _UPRIGHT_TIME
            self._forget()
            return None
        self._upright_since = None
        if self._background_is_upright and not self._background_changed:
            self._forget()
            return None
        if self._schedule.start_if_due(frame.time, ATTEMPT_PERIOD):
            self._attempt(frame.pixels)
        if not self._hits:
            return None
        return TurnedPicture(_ORDER[self._next], certain=self._hits >= MIN_HITS)

    def _attempt(self, pixels: Pixels) -> None:
        turned_back = np.asarray(cv2.rotate(pixels, _ROTATIONS[_ORDER[self._next]]), np.uint8)
        if self._finds_face(turned_back):
            self._hits, self._misses = self._hits + 1, 0
            return
        self._misses += 1
        if self._hits < MIN_HITS or self._misses >= MAX_MISSES:
            self._forget()
            self._next = (self._next + 1) % len(_ORDER)

    def _finds_face(self, turned_back: Pixels) -> bool:
        for face in detect_faces(self._detector, turned_back):
            (right_x, right_y), (left_x, left_y) = face.right_eye, face.left_eye
            tilt = math.degrees(math.atan2(left_y - right_y, left_x - right_x))
            if face.score >= _MIN_SCORE and abs(tilt) <= _MAX_TURNED_TILT:
                return True
        return False

    def _forget(self) -> None:
        self._hits = self._misses = 0


def _tilt(face: TrackedFace) -> float:
    """Degrees by which the line through the eyes is turned in the picture, clockwise."""
    return math.degrees(region_of_mesh(face.mesh).angle)
