"""Tracks faces from frame to frame, by landmarks where possible and by detection otherwise.

Estimating landmarks where the face was in the previous frame costs as much as detecting it and gives
the landmarks that are needed anyway. So the detector runs only when there is no track, when a track
was lost, and to find new faces: about once a second where anything but the known faces has changed, and
every three seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from proctoring.models.network import Network
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
from proctoring.vision.scene_change import Scene, scene_of

MAX_FACES = 4
MIN_PRESENCE = 0.5
"""Presence below which the landmark network finds no face in a region."""
_DETECTION_PERIOD = 1.0
"""Seconds between two detections while no track is lost and something changes."""
_MAX_DETECTION_AGE = 3.0
"""Seconds after which faces are detected though nothing but the known faces has changed."""
_MIN_SIDE = 12.0
"""Side in pixels of the smallest region in which landmarks are estimated."""
_SAME_FACE = 0.5
"""Share of the smaller of two boxes that must overlap for both to be one face."""
SURE_PRESENCE = 0.9
"""Presence from which the landmark network is sure of a face."""
_MAX_UNCONFIRMED = 2
"""A track whose presence is below ``SURE_PRESENCE`` and that the detector misses so many times in a row is
dropped: landmarks can settle on a shoulder or a poster."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackedFace:
    """One face in one frame."""

    track: int
    """Number of the track; never reused within a session."""
    mesh: Mesh
    presence: float
    """0 to 1: how sure the landmark network is that this is a face."""
    box: Box
    """Bounding box of the landmarks."""


@dataclass(frozen=True, slots=True)
class Track:
    """A face that is followed from frame to frame."""

    number: int
    region: Region
    """Where to estimate the landmarks of the next frame."""
    unconfirmed: int = 0
    """Detections in a row that missed the face while its presence was low."""


@dataclass(frozen=True, slots=True)
class FaceTrackerState:
    """What a tracker knows, apart from pictures."""

    tracks: tuple[Track, ...] = ()
    """The oldest first."""
    last_number: int = 0
    """Of all tracks so far."""
    next_detection: float = float("-inf")
    """Media time from which new faces may be looked for."""


class FaceTracker:
    """Tracks up to ``MAX_FACES`` faces of one session.

    Args:
        detector: the face detector.
        landmarker: the landmark network.
        gated: whether new faces are looked for less often while nothing but the known faces changes.
        state: of a continued session.
        detected: the scene in which its detector ran last; ``None``: it runs as soon as it may.
    """

    def __init__(
        self,
        detector: Network,
        landmarker: Network,
        *,
        gated: bool = False,
        state: FaceTrackerState | None = None,
        detected: Scene | None = None,
    ) -> None:
        state = state or FaceTrackerState()
        self._gated = gated
        self.detected = detected
        """The scene in which the detector ran last."""
        self._detector = detector
        self._landmarker = landmarker
        self._tracks = list(state.tracks)
        self._last_number = state.last_number
        self._next_detection = state.next_detection

    @property
    def state(self) -> FaceTrackerState:
        """For a snapshot."""
        return FaceTrackerState(tuple(self._tracks), self._last_number, self._next_detection)

    def is_detection_due(self, time: float) -> bool:
        """Whether new faces may be looked for in a frame of this media time, even if no track is lost."""
        return time >= self._next_detection

    def update(self, frame: Frame) -> tuple[TrackedFace, ...]:
        """Track into the next frame; returns its faces, the oldest track first."""
        before = len(self._tracks)
        faces = self._track(frame.pixels)
        lost = not self._tracks or len(self._tracks) < before
        due = self.is_detection_due(frame.time)
        if due:
            self._next_detection = frame.time + _DETECTION_PERIOD
        if lost or (due and self._may_have_new_face(frame, faces)):
            self._next_detection = frame.time + _DETECTION_PERIOD
            detections = detect_faces(self._detector, frame.pixels)
            self._drop_unconfirmed(faces, detections)
            self._add_new(frame.pixels, faces, detections)
            if self._gated:
                self.detected = scene_of(frame, [face.box for face in faces.values()])
        return tuple(faces[track.number] for track in self._tracks)

    def _may_have_new_face(self, frame: Frame, faces: dict[int, TrackedFace]) -> bool:
        """Whether something outside the known faces has changed, or one of them is not certain."""
        before = self.detected
        if before is None or not 0 < frame.time - before.time < _MAX_DETECTION_AGE:
            return True
        if any(face.presence < SURE_PRESENCE for face in faces.values()):
            return True
        scene = scene_of(frame, [face.box for face in faces.values()])
        return bool(before.changed(scene).any())

    def _track(self, pixels: Pixels) -> dict[int, TrackedFace]:
        faces: dict[int, TrackedFace] = {}
        for track in self._tracks:
            face = self._estimate(pixels, track.region, track.number)
            # Where two tracks meet on one face, the older one keeps it.
            if face is not None and not _is_tracked(face.box, faces):
                faces[track.number] = face
        self._keep(faces)
        return faces

    def _keep(self, faces: dict[int, TrackedFace]) -> None:
        self._tracks = [
            replace(track, region=region_of_mesh(faces[track.number].mesh))
            for track in self._tracks
            if track.number in faces
        ]

    def _drop_unconfirmed(
        self, faces: dict[int, TrackedFace], detections: tuple[FaceDetection, ...]
    ) -> None:
        counted = []
        for track in self._tracks:
            face = faces[track.number]
            detected = any(_is_same_face(detection.box, face.box) for detection in detections)
            sure = detected or face.presence >= SURE_PRESENCE
            counted.append(replace(track, unconfirmed=0 if sure else track.unconfirmed + 1))
            if counted[-1].unconfirmed >= _MAX_UNCONFIRMED:
                del faces[track.number]
        self._tracks = counted
        self._keep(faces)

    def _add_new(
        self, pixels: Pixels, faces: dict[int, TrackedFace], detections: tuple[FaceDetection, ...]
    ) -> None:
        """Start tracks of detected faces that have none, the largest first."""
        for detection in sorted(
            detections, key=lambda detection: -detection.box.width * detection.box.height
        ):
            if len(faces) >= MAX_FACES:
                return
            if _is_tracked(detection.box, faces):
                continue
            face = self._estimate(pixels, region_of_detection(detection), self._last_number + 1)
            if face is None or _is_tracked(face.box, faces):
                continue
            self._last_number += 1
            faces[face.track] = face
            self._tracks.append(Track(face.track, region_of_mesh(face.mesh)))

    def _estimate(self, pixels: Pixels, region: Region, number: int) -> TrackedFace | None:
        height, width = pixels.shape[:2]
        if region.side < _MIN_SIDE or not (0 <= region.x < width and 0 <= region.y < height):
            return None
        mesh, presence = estimate_landmarks(self._landmarker, pixels, region)
        if presence < MIN_PRESENCE:
            return None
        return TrackedFace(number, mesh, presence, hull(mesh))


def _is_tracked(box: Box, faces: dict[int, TrackedFace]) -> bool:
    return any(_is_same_face(box, face.box) for face in faces.values())


def _is_same_face(one: Box, other: Box) -> bool:
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return width > 0 and height > 0 and width * height >= _SAME_FACE * smaller
