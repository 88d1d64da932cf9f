"""Draws the results of an analysis on its frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.observations import Box, Candidate, Gaze, HeadPose
from proctoring.recording.label_placement import Rectangle, place_all
from proctoring.vision.analyser import FrameAnalysis
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import Mesh

Colour = tuple[int, int, int]

_MESH: Colour = (190, 235, 255)
_OTHER_FACE: Colour = (255, 170, 80)
_GAZE: Colour = (255, 221, 51)
_PERSON: Colour = (120, 200, 120)
_PHONE: Colour = (255, 90, 90)
_AXES: tuple[Colour, Colour, Colour] = ((255, 80, 80), (80, 220, 80), (90, 150, 255))
"""Of the head's axes: to the picture's right, up, out of the face."""
_SEVERITIES: Mapping[Severity, Colour] = {
    Severity.INFO: (90, 150, 255),
    Severity.WARNING: (255, 190, 60),
    Severity.VIOLATION: (255, 90, 90),
}
_NOSE_TIP, _IRISES = 1, (468, 473)
_FACE_POINTS = 468
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE: Colour = (255, 255, 255)
_SHADE = 0.7
"""Share of black behind a text: legible on any background."""
_MOST_CAPTIONS = 6
"""Open incidents that are named; of more, only their number is told."""


@dataclass(frozen=True, slots=True)
class _Label:
    text: str
    anchor: Rectangle
    colour: Colour


class FrameAnnotator:
    """Annotates the frames of one recording; keeps track of the open incidents.

    Args:
        mirrored: the frames are mirrored: the candidate's left is the picture's left.
    """

    def __init__(self, *, mirrored: bool = False) -> None:
        self._to_picture = -1.0 if mirrored else 1.0
        self._edges: NDArray[np.intp] | None = None
        self._open: dict[int, IncidentChange] = {}

    def annotate(
        self, frame: Frame, analysis: FrameAnalysis, changes: Iterable[IncidentChange]
    ) -> Pixels:
        """A copy of the frame with its detections, the candidate's angles and the open incidents."""
        for change in changes:
            if change.state is IncidentState.ENDED:
                self._open.pop(change.number, None)
            else:
                self._open[change.number] = change
        picture = frame.pixels.copy()
        observation = analysis.observation
        unit = max(1, round(min(picture.shape[:2]) / 360))
        labels = list(self._captions(picture, frame.time))
        if observation.objects is not None:
            for found, colour in (
                *((phone, _PHONE) for phone in observation.objects.phones),
                *((person, _PERSON) for person in observation.objects.persons),
            ):
                box = _pixels(found.box)
                cv2.rectangle(picture, box[:2], box[2:], colour, unit)
                labels.append(_Label(f"{found.label} {found.score:.2f}", box, colour))
        own = observation.candidate.track if observation.candidate else None
        for track, mesh in analysis.meshes.items():
            self._draw_mesh(picture, mesh, _MESH if track == own else _OTHER_FACE, unit)
        if observation.candidate is not None and observation.candidate.track in analysis.meshes:
            self._draw_directions(
                picture, analysis.meshes[observation.candidate.track], observation.candidate, unit
            )
        _draw_labels(picture, labels, unit)
        return picture

    def _draw_mesh(self, picture: Pixels, mesh: Mesh, colour: Colour, unit: int) -> None:
        if self._edges is None:
            self._edges = _triangulate(mesh)
        # Fixed-point coordinates with 4 bits of fraction: whole pixels distort small meshes.
        points = np.round(mesh[:, :2] * 16).astype(np.int32)
        lines = picture.copy()
        cv2.polylines(lines, list(points[self._edges]), False, colour, 1, cv2.LINE_AA, shift=4)
        cv2.addWeighted(lines, 0.45, picture, 0.55, 0, dst=picture)
        for centre in _IRISES:
            radius = float(np.linalg.norm(mesh[centre + 1, :2] - mesh[centre, :2]))
            x, y = points[centre]
            cv2.circle(
                picture, (int(x), int(y)), round(radius * 16), _GAZE, unit, cv2.LINE_AA, shift=4
            )

    def _draw_directions(
        self, picture: Pixels, mesh: Mesh, candidate: Candidate, unit: int
    ) -> None:
        nose = mesh[_NOSE_TIP, :2]
        length = float(np.ptp(mesh[:_FACE_POINTS, 0])) * 0.7
        if candidate.head is not None:
            for axis, colour in zip(self._axes(candidate.head), _AXES, strict=True):
                _draw_arrow(picture, nose, axis * length * 0.7, colour, unit)
        if candidate.gaze is not None:
            eyes = mesh[list(_IRISES), :2].mean(axis=0)
            _draw_arrow(picture, eyes, self._towards(candidate.gaze) * length * 2, _GAZE, 2 * unit)

    def _towards(self, gaze: Gaze) -> NDArray[np.float64]:
        """Direction of the gaze in the picture: x right, y down, length 1 at 90 degrees."""
        across = math.sin(math.radians(gaze.yaw)) * self._to_picture
        return np.array([across, -math.sin(math.radians(gaze.pitch or 0.0))])

    def _axes(self, head: HeadPose) -> tuple[NDArray[np.float64], ...]:
        """Axes of the head (right, up, out of the face) in the picture: x right, y down."""
        yaw = math.radians(head.yaw) * self._to_picture
        pitch = math.radians(head.pitch)
        roll = math.radians(head.roll) * self._to_picture
        # Coordinates: x right, y up, z to the viewer. Order: pitch, yaw, roll.
        pitched = _rotation(0, -pitch)
        turned = _rotation(1, yaw)
        rolled = _rotation(2, -roll)
        axes = (rolled @ turned @ pitched).T
        return tuple(np.array([axis[0], -axis[1]]) for axis in axes)

    def _captions(self, picture: Pixels, time: float) -> Iterator[_Label]:
        """Media time in the lower left corner, open incidents in the upper left one."""
        bottom = picture.shape[0]
        yield _Label(f"{time:.1f} s", Rectangle(0, bottom, 0, bottom), _WHITE)
        corner = Rectangle(0, 0, 0, 0)
        changes = list(self._open.values())
        for change in changes[:_MOST_CAPTIONS]:
            text = f"{change.label}  {max(0.0, time - change.started_at):.1f} s"
            yield _Label(text, corner, _SEVERITIES[change.severity])
        if len(changes) > _MOST_CAPTIONS:
            yield _Label(f"and {len(changes) - _MOST_CAPTIONS} more", corner, _WHITE)


def _rotation(axis: int, angle: float) -> NDArray[np.float64]:
    """A right-handed rotation about one axis."""
    rotation, _ = cv2.Rodrigues(np.eye(3)[axis] * angle)
    return np.asarray(rotation, np.float64)


def _triangulate(mesh: Mesh) -> NDArray[np.intp]:
    """Delaunay edges (n, 2) between the landmarks of a face."""
    points = mesh[:_FACE_POINTS, :2].astype(np.float32)
    low = points.min(axis=0) - 1
    size = np.ceil(np.ptp(points, axis=0)).astype(int) + 2
    division = cv2.Subdiv2D((0, 0, int(size[0]) + 1, int(size[1]) + 1))
    numbers: dict[tuple[float, float], int] = {}
    for number, point in enumerate(points - low):
        key = (float(point[0]), float(point[1]))
        numbers.setdefault(key, number)
        division.insert(key)
    edges = {
        (start, end)
        for x0, y0, x1, y1 in np.asarray(division.getEdgeList()).tolist()
        if (start := numbers.get((x0, y0))) is not None
        and (end := numbers.get((x1, y1))) is not None
    }
    return np.array(sorted(edges), np.intp).reshape(-1, 2)


def _pixels(box: Box) -> Rectangle:
    return Rectangle(round(box.left), round(box.top), round(box.right), round(box.bottom))


def _draw_arrow(
    picture: Pixels, start: NDArray[np.float32], by: NDArray[np.float64], colour: Colour, unit: int
) -> None:
    begin = (int(start[0]), int(start[1]))
    end = (round(float(start[0] + by[0])), round(float(start[1] + by[1])))
    cv2.arrowedLine(picture, begin, end, colour, unit, cv2.LINE_AA, tipLength=0.2)


def _draw_labels(picture: Pixels, labels: list[_Label], unit: int) -> None:
    """Draw texts on dark ground, the most important first; what has no room is left out."""
    height, width = picture.shape[:2]
    scale, pad = 0.45 * unit, 3 * unit
    texts = [_fitted(label.text, width - 2 * pad, scale, unit) for label in labels]
    sizes = []
    for text in texts:
        (across, up), down = cv2.getTextSize(text, _FONT, scale, unit)
        sizes.append((across + 2 * pad, up + down + pad))
    anchored = zip(sizes, (label.anchor for label in labels), strict=True)
    places = place_all(anchored, Rectangle(0, 0, width, height))
    for label, text, found in zip(labels, texts, places, strict=True):
        if found is None:
            continue
        ground = picture[found.top : found.bottom, found.left : found.right]
        ground[:] = np.round(ground * (1 - _SHADE))
        at = (found.left + pad, found.bottom - 2 * pad)
        cv2.putText(picture, text, at, _FONT, scale, label.colour, unit, cv2.LINE_AA)


def _fitted(text: str, width: int, scale: float, unit: int) -> str:
    """The text, shortened to so many pixels."""
    shown = text
    while len(shown) > 4 and cv2.getTextSize(shown, _FONT, scale, unit)[0][0] > width:
        shown = shown[:-4].rstrip(".") + "..."
    return shown
