"""Faces followed from frame to frame: by landmarks while that works, by detection when it does not.

Looking for landmarks where the face was a tenth of a second ago costs the same as detecting it and
gives everything else besides, so the detector runs only when nobody or somebody fewer is there, and
about once a second for newcomers.
"""

from __future__ import annotations

from dataclasses import dataclass

from proctoring.models.runtime import Network
from proctoring.observations import Box
from proctoring.vision.face_detection import FaceDetection, detect_faces
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import (
    Mesh,
    Region,
    estimate_landmarks,
    hull,
    region_of_detection,
    region_of_mesh,
)

MAX_FACES = 4
MIN_PRESENCE = 0.5
"""Below this the landmark network says that there is no face in the region."""
_NEWCOMER_PERIOD = 1.0
_MIN_SIDE = 12.0
"""Pixels: a region smaller than this holds nothing that the network could read."""
_SAME_FACE = 0.5
"""Share of the smaller of two boxes that the other covers, from which both are one face."""
_UNSURE = 0.9
_UNSURE_CHECKS = 2
"""A face below ``_UNSURE`` presence that the detector misses this many times in a row is dropped:
landmarks can cling to a shoulder or a poster."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face in one frame."""

    track: int
    mesh: Mesh
    presence: float
    box: Box


@dataclass(slots=True)
class _Track:
    number: int
    region: Region
    unconfirmed: int = 0


class FaceTracker:
    """Follows up to ``MAX_FACES`` faces of one session; one instance per session."""

    def __init__(self, detector: Network, landmarker: Network) -> None:
        self._detector = detector
        self._landmarker = landmarker
        self._tracks: list[_Track] = []
        self._last_number = 0
        self._next_check = float("-inf")

    def update(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """The faces in this frame, those longest followed first."""
        before = len(self._tracks)
        faces = self._follow(frame.pixels)
        if not self._tracks or len(self._tracks) < before or frame.time >= self._next_check:
            self._next_check = frame.time + _NEWCOMER_PERIOD
            detections = detect_faces(self._detector, frame.pixels)
            self._drop_unconfirmed(faces, detections)
            self._welcome(frame.pixels, faces, detections)
        return tuple(faces[track.number] for track in self._tracks)

    def _follow(self, pixels: Pixels) -> dict[int, TrackedFace]:
        faces: dict[int, TrackedFace] = {}
        for track in self._tracks:
            face = self._read(pixels, track.region, track.number)
            # Two tracks that slid onto one face: the older one keeps it.
            if face is not None and not _taken(face.box, faces):
                faces[track.number] = face
        self._keep(faces)
        return faces

    def _keep(self, faces: dict[int, TrackedFace]) -> None:
        self._tracks = [track for track in self._tracks if track.number in faces]
        for track in self._tracks:
            track.region = region_of_mesh(faces[track.number].mesh)

    def _drop_unconfirmed(
        self, faces: dict[int, TrackedFace], detections: tuple[FaceDetection, ...]
    ) -> None:
        for track in self._tracks:
            face = faces[track.number]
            seen = any(_same_place(detection.box, face.box) for detection in detections)
            track.unconfirmed = 0 if seen or face.presence >= _UNSURE else track.unconfirmed + 1
            if track.unconfirmed >= _UNSURE_CHECKS:
                del faces[track.number]
        self._keep(faces)

    def _welcome(
        self, pixels: Pixels, faces: dict[int, TrackedFace], detections: tuple[FaceDetection, ...]
    ) -> None:
        for detection in sorted(
            detections, key=lambda detection: -detection.box.width * detection.box.height
        ):
            if len(faces) >= MAX_FACES:
                return
            if _taken(detection.box, faces):
                continue
            face = self._read(pixels, region_of_detection(detection), self._last_number + 1)
            if face is None or _taken(face.box, faces):
                continue
            self._last_number += 1
            faces[face.track] = face
            self._tracks.append(_Track(face.track, region_of_mesh(face.mesh)))

    def _read(self, pixels: Pixels, region: Region, number: int) -> TrackedFace | None:
        height, width = pixels.shape[:2]
        if region.side < _MIN_SIDE or not (0 <= region.x < width and 0 <= region.y < height):
            return None
        mesh, presence = estimate_landmarks(self._landmarker, pixels, region)
        if presence < MIN_PRESENCE:
            return None
        return TrackedFace(number, mesh, presence, hull(mesh))


def _taken(box: Box, faces: dict[int, TrackedFace]) -> bool:
    return any(_same_place(box, face.box) for face in faces.values())


def _same_place(one: Box, other: Box) -> bool:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return width > 0 and height > 0 and width * height >= _SAME_FACE * smaller
