"""Faces that nobody wears: on a poster, a shirt on a hook, a television.

A face on a wall does not move, to a fifth of a pixel, while the candidate does; a person holds no
head so still for three seconds. A face within a screen belongs to the screen. A face whose stillness
proves nothing, because everything stands still, is taken for a person's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from proctoring.observations import Box, ObjectDetections
from proctoring.vision.face_tracking import TrackedFace

WATCHED = 3.0
"""Seconds of stillness that make a picture of a face; and after which it is one or is not."""
_MEMORY = 10.0
"""Seconds after which a movement is forgotten: a poster may swing in a draught."""
_PIXELS, _EYES = 0.25, 0.009
"""Travel within ``WATCHED``, in pixels and in eye distances, from which a face moves; the larger of
both counts. Still photographs with noise and JPEG, 32 to 74 pixels wide, travelled at most .20 pixels
and .007; 31 recordings of people, shrunk to faces of 23 to 114 pixels, never less than .27 and .010.
Chosen on these."""
_SMOOTHED = 5
"""Places that are averaged: what is left of the landmarks' own noise is the figure above."""
_PLACE = [1, 33, 263, 152, 10, 454, 234]
_RIGHT_EYE, _LEFT_EYE = 33, 263
_INSIDE = 0.85
"""Share of a box that must lie within a screen to be shown on it."""


@dataclass(slots=True)
class _Path:
    since: float
    places: deque[tuple[float, float, float, float]] = field(default_factory=deque)
    """Time, x, y and the distance of the eyes, in pixels."""


@dataclass(frozen=True, slots=True)
class FaceStatus:
    """What is known of one followed face."""

    since: float
    """Media time at which it was first seen."""
    picture: bool | None
    """See ``Face.picture``."""


class DepictedFaceDetector:
    """Watches all faces of one session."""

    def __init__(self) -> None:
        self._paths: dict[int, _Path] = {}
        self._first: float | None = None
        """When the session's first face was seen."""
        self._screens: tuple[Box, ...] = ()
        self._persons: tuple[Box, ...] = ()
        self._faces: tuple[tuple[Box, bool | None], ...] = ()
        """Of the last frame: where they are, and whether they are pictures."""

    def separate_depicted(self, look: ObjectDetections) -> ObjectDetections:
        """Take in one look of the object detector, and tell its persons from pictures of persons."""
        self._screens = tuple(screen.box for screen in look.screens)
        self._persons = tuple(person.box for person in look.persons)
        pictured = tuple(person for person in look.persons if self._is_pictured(person.box))
        persons = tuple(person for person in look.persons if person not in pictured)
        return replace(look, persons=persons, depicted_persons=pictured)

    def _is_pictured(self, person: Box) -> bool:
        """Whether all faces that such a box holds, one or more, are pictures."""
        faces = [known for box, known in self._faces if _share_within(box, person) >= _INSIDE]
        return bool(faces) and all(faces)

    def update(
        self, time: float, faces: Sequence[TrackedFace], candidate: int | None
    ) -> dict[int, FaceStatus]:
        """Take in the faces of one frame; times rise. ``candidate`` is the candidate's track."""
        self._paths = {face.track: self._paths.get(face.track, _Path(time)) for face in faces}
        for face in faces:
            _go_on(self._paths[face.track], time, face)
        if faces and self._first is None:
            self._first = time
        begins = self._first is not None and time - self._first < WATCHED
        still = {track: _is_still(path) for track, path in self._paths.items()}
        something_moves = any(known is False for known in still.values())
        statuses = {}
        for face in faces:
            picture: bool | None = False
            if face.track != candidate:
                picture = still[face.track]
                # At the very beginning the candidate need not have moved yet.
                if picture is not False and not something_moves and not begins:
                    picture = False
                if self._on_a_screen(face.box):
                    picture = True
            statuses[face.track] = FaceStatus(self._paths[face.track].since, picture)
        self._faces = tuple((face.box, statuses[face.track].picture) for face in faces)
        return statuses

    def _on_a_screen(self, face: Box) -> bool:
        """Whether a screen shows the face. Who stands before a screen reaches beyond it."""
        for screen in self._screens:
            if _share_within(face, screen) < _INSIDE:
                continue
            wearers = [box for box in self._persons if _share_within(face, box) >= _INSIDE]
            if all(_share_within(box, screen) >= _INSIDE for box in wearers):
                return True
        return False


def _go_on(path: _Path, time: float, face: TrackedFace) -> None:
    x, y = face.mesh[_PLACE, :2].mean(axis=0)
    eyes = float(np.hypot(*(face.mesh[_LEFT_EYE, :2] - face.mesh[_RIGHT_EYE, :2])))
    path.places.append((time, float(x), float(y), eyes))
    while time - path.places[0][0] > _MEMORY:
        path.places.popleft()


def _is_still(path: _Path) -> bool | None:
    """Whether the face moved nowhere; ``None`` when it did not, yet, and may."""
    if len(path.places) < 2 * _SMOOTHED:
        return None
    places = np.array(path.places)
    kernel = np.ones(_SMOOTHED) / _SMOOTHED
    smooth = np.stack([np.convolve(places[:, axis], kernel, "valid") for axis in (1, 2)])
    travel = float(np.ptp(smooth, axis=1).max())
    if travel >= max(_PIXELS, _EYES * float(places[:, 3].mean())):
        return False
    return True if places[-1, 0] - places[0, 0] >= WATCHED else None


def _share_within(inner: Box, outer: Box) -> float:
    """Share of a box that lies within another, 0 to 1."""
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    area = inner.width * inner.height
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0
