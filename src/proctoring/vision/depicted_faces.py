"""Detects faces that are only depicted: on a poster, a printed shirt, a television.

A face on a wall stays still to a fifth of a pixel while the candidate moves; no person holds the head
so still for three seconds. A face within a screen is shown on that screen. Where everything is still,
the stillness of a face means nothing and it is taken for a person's.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from proctoring.observations import Box, ObjectDetections
from proctoring.vision.face_tracking import TrackedFace

STILL_SECONDS = 3.0
"""A face that has been still for so long is depicted."""
_MEMORY_SECONDS = 10.0
"""Seconds after which a movement is forgotten: a poster may swing in a draught."""
_MIN_TRAVEL_PIXELS, _MIN_TRAVEL_EYES = 0.25, 0.009
"""Travel in pixels, and in distances between the eyes, from which a face has moved; the larger of both
counts. Still photographs with noise and JPEG, faces 32 to 74 pixels wide, travelled at most 0.20 pixels
and 0.007; 31 recordings of people, shrunk to faces of 23 to 114 pixels, at least 0.27 and 0.010. The
limits were chosen on these."""
_SMOOTHED = 5
"""Positions that are averaged before travel is measured, to reduce the noise of the landmarks."""
_MIN_POSITIONS = 2 * _SMOOTHED
"""Positions before which nothing is concluded."""
_POSITION_LANDMARKS = [1, 33, 263, 152, 10, 454, 234]
"""Nose tip, eye corners, chin, forehead and sides: their mean is the position of a face."""
_RIGHT_EYE, _LEFT_EYE = 33, 263
_INSIDE = 0.85
"""Share of a box that must lie within another to belong to it."""


@dataclass(slots=True)
class _Path:
    since: float
    still: bool | None = None
    """``FollowedFace.still``."""
    positions: deque[tuple[float, float, float, float]] = field(default_factory=deque)
    """Time in seconds; x, y and distance between the eyes in pixels."""
    smooth: deque[tuple[float, float]] = field(default_factory=deque)
    """x and y of ``_SMOOTHED`` positions in a row, averaged: of each position but the first few."""


@dataclass(frozen=True, slots=True, eq=False)
class FacePath:
    """Where one face was. Without it, a face is as still as it was last for ``STILL_SECONDS``."""

    positions: NDArray[np.float64]
    """(n, 4) ``_Path.positions``."""
    smooth: NDArray[np.float64]
    """(n, 2) ``_Path.smooth``."""


@dataclass(frozen=True, slots=True)
class FollowedFace:
    """What is known of one tracked face, apart from its path."""

    since: float
    """Media time at which the track began."""
    still: bool | None
    """Whether it was still when that could be told last; ``None``: never yet."""


@dataclass(frozen=True, slots=True)
class DepictedFacesState:
    """What is known of pictures of faces, apart from the paths."""

    followed: Mapping[int, FollowedFace] = field(default_factory=dict)
    """By track, of the faces in the last measured frame."""
    first: float | None = None
    """When the session's first face was seen."""
    screens: tuple[Box, ...] = ()
    persons: tuple[Box, ...] = ()
    """Both from the latest object detection."""
    faces: tuple[tuple[Box, bool | None], ...] = ()
    """Boxes of the last frame's faces, and whether they are depicted."""


@dataclass(frozen=True, slots=True)
class FaceStatus:
    """What is known of one tracked face."""

    since: float
    """Media time at which the track began."""
    depicted: bool | None
    """Whether it is only depicted; see ``Face.depicted``."""


class DepictedFaceDetector:
    """Follows all faces of one session, and what object detection says about screens and persons.

    Args:
        state: of a continued session.
        paths: track to the path of its face; those of other tracks than the last frame's are not used.
    """

    def __init__(
        self, state: DepictedFacesState | None = None, paths: Mapping[int, FacePath] | None = None
    ) -> None:
        state = state or DepictedFacesState()
        self._paths = {
            track: _Path(face.since, face.still) for track, face in state.followed.items()
        }
        self._first = state.first
        self._screens = state.screens
        self._persons = state.persons
        self._faces = state.faces
        for track, path in (paths or {}).items():
            if track in self._paths:
                for time, x, y, eyes in path.positions.tolist():
                    self._paths[track].positions.append((time, x, y, eyes))
                self._paths[track].smooth.extend((x, y) for x, y in path.smooth.tolist())

    @property
    def state(self) -> DepictedFacesState:
        """For a snapshot."""
        followed = {
            track: FollowedFace(path.since, path.still) for track, path in self._paths.items()
        }
        return DepictedFacesState(followed, self._first, self._screens, self._persons, self._faces)

    @property
    def paths(self) -> dict[int, FacePath]:
        """For a snapshot: track to the path of its face."""
        return {
            track: FacePath(np.array(path.positions), np.array(path.smooth).reshape(-1, 2))
            for track, path in self._paths.items()
        }

    def separate_depicted(self, objects: ObjectDetections) -> ObjectDetections:
        """Update screens and persons; move persons of whom only a depicted face is seen to ``depicted_persons``."""
        self._screens = tuple(screen.box for screen in objects.screens)
        self._persons = tuple(person.box for person in objects.persons)
        pictured = tuple(person for person in objects.persons if self._is_depicted(person.box))
        persons = tuple(person for person in objects.persons if person not in pictured)
        return replace(objects, persons=persons, depicted_persons=pictured)

    def _is_depicted(self, person: Box) -> bool:
        """Whether there are faces in the box of a person and all of them are depicted."""
        faces = [known for box, known in self._faces if _share_within(box, person) >= _INSIDE]
        return bool(faces) and all(faces)

    def update(
        self, time: float, faces: Sequence[TrackedFace], candidate: int | None
    ) -> dict[int, FaceStatus]:
        """Add the faces of one frame; times must rise.

        Args:
            time: media time.
            faces: all tracked faces.
            candidate: the candidate's track, which is never depicted; ``None``: not in the frame.

        Returns:
            The status of each face, by track.
        """
        self._paths = {face.track: self._paths.get(face.track, _Path(time)) for face in faces}
        for face in faces:
            _extend(self._paths[face.track], time, face)
        if faces and self._first is None:
            self._first = time
        session_begins = self._first is not None and time - self._first < STILL_SECONDS
        for path in self._paths.values():
            path.still = _is_still(path, path.still)
        still = {track: path.still for track, path in self._paths.items()}
        something_moves = any(known is False for known in still.values())
        statuses = {}
        for face in faces:
            depicted: bool | None = False
            if face.track != candidate:
                depicted = still[face.track]
                # When the session begins, the candidate need not have moved yet.
                if depicted is not False and not something_moves and not session_begins:
                    depicted = False
                if self._is_on_screen(face.box):
                    depicted = True
            statuses[face.track] = FaceStatus(self._paths[face.track].since, depicted)
        self._faces = tuple((face.box, statuses[face.track].depicted) for face in faces)
        return statuses

    def _is_on_screen(self, face: Box) -> bool:
        """Whether a screen shows the face: a person before a screen reaches beyond it."""
        for screen in self._screens:
            if _share_within(face, screen) < _INSIDE:
                continue
            wearers = [box for box in self._persons if _share_within(face, box) >= _INSIDE]
            if all(_share_within(box, screen) >= _INSIDE for box in wearers):
                return True
        return False


def _extend(path: _Path, time: float, face: TrackedFace) -> None:
    x, y = face.mesh[_POSITION_LANDMARKS, :2].mean(axis=0).tolist()
    eyes = math.dist(face.mesh[_LEFT_EYE, :2].tolist(), face.mesh[_RIGHT_EYE, :2].tolist())
    path.positions.append((time, x, y, eyes))
    last = list(path.positions)[-_SMOOTHED:]
    if len(last) == _SMOOTHED:
        path.smooth.append(
            (sum(one[1] for one in last) / _SMOOTHED, sum(one[2] for one in last) / _SMOOTHED)
        )
    while time - path.positions[0][0] > _MEMORY_SECONDS:
        path.positions.popleft()
        if len(path.smooth) > max(0, len(path.positions) - _SMOOTHED + 1):
            path.smooth.popleft()


def _is_still(path: _Path, before: bool | None) -> bool | None:
    """Whether the face has not moved; ``before``, if it has not, but not for long enough."""
    if len(path.positions) < _MIN_POSITIONS:
        return before
    across, down = zip(*path.smooth, strict=True)
    travel = max(max(across) - min(across), max(down) - min(down))
    eyes = sum([position[3] for position in path.positions]) / len(path.positions)
    if travel >= max(_MIN_TRAVEL_PIXELS, _MIN_TRAVEL_EYES * eyes):
        return False
    return True if path.positions[-1][0] - path.positions[0][0] >= STILL_SECONDS else before


def _share_within(inner: Box, outer: Box) -> float:
    """Share of a box's area that lies within another, 0 to 1."""
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    area = inner.width * inner.height
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0
