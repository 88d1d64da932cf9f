"""Estimates the head pose by fitting the canonical face to the landmarks of a frame.

The canonical 468-point face (centimetres, x to the picture's right, y up, z towards the camera) and
the 33 rigid points that are fitted are part of the face landmarker's geometry metadata (MediaPipe,
Apache-2.0). The focal length of a candidate's camera is unknown: a vertical field of view of 63 degrees
is assumed, as in MediaPipe.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.errors import ModelUnavailableError
from proctoring.observations import HeadPose
from proctoring.vision.landmarks import Mesh

_VERTICAL_FIELD_OF_VIEW = math.radians(63)
_VERTEX_FLOATS = 5
"""x, y, z, u, v of each vertex in the metadata."""
_MIN_POINTS = 6
"""Fewest rigid points by which a pose is determined."""
_ON_AXIS = 1e-9
"""Sine of the angle to the camera's axis below which a head is on the axis."""


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalFace:
    """The rigid points of a face of average shape."""

    indices: NDArray[np.intp]
    """(n,) indices of their landmarks."""
    points: NDArray[np.float64]
    """(n, 3) coordinates in centimetres."""


def load_canonical_face(task: Path) -> CanonicalFace:
    """Load the canonical face from a face landmarker's ``.task`` file.

    Raises:
        ModelUnavailableError: the file holds none, or a damaged one.
    """
    try:
        with zipfile.ZipFile(task) as archive:
            metadata = archive.read("geometry_pipeline_metadata_landmarks.binarypb")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ModelUnavailableError(f"{task.name} holds no face geometry: {error}") from error
    return parse_geometry(metadata)


def parse_geometry(metadata: bytes) -> CanonicalFace:
    """Parse the canonical face from ``geometry_pipeline_metadata_landmarks.binarypb``.

    Raises:
        ModelUnavailableError: the bytes are not that message.
    """
    vertices: list[float] = []
    basis: list[int] = []
    try:
        for field, value in _protobuf_fields(metadata):
            if field == 1 and isinstance(value, bytes):  # canonical_mesh
                vertices = [
                    float(np.frombuffer(inner, "<f4")[0])
                    for inner_field, inner in _protobuf_fields(value)
                    if inner_field == 3 and isinstance(inner, bytes)  # vertex_buffer
                ]
            elif field == 2 and isinstance(value, bytes):  # procrustes_landmark_basis
                basis += [
                    inner
                    for inner_field, inner in _protobuf_fields(value)
                    if inner_field == 1 and isinstance(inner, int)  # landmark_id
                ]
        points = np.array(vertices, np.float64).reshape(-1, _VERTEX_FLOATS)[:, :3]
        indices = np.array(basis, np.intp)
        chosen = points[indices]
    except (IndexError, ValueError) as error:
        raise ModelUnavailableError(
            f"the face landmarker's geometry is damaged: {error}"
        ) from error
    if len(indices) < _MIN_POINTS:
        raise ModelUnavailableError("the face landmarker's geometry names no rigid points")
    return CanonicalFace(indices, chosen)


def _protobuf_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: each number with its integer or bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield field, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(message):
            raise ValueError("cut short")
        yield field, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def estimate_head_pose(face: CanonicalFace, mesh: Mesh, width: int, height: int) -> HeadPose | None:
    """Estimate the turn of the head against the line from the camera to it; ``None``: no pose fits.

    Against that line, not against the camera's axis: a face that looks into the camera has the same
    pose wherever in the picture it is, so moving sideways is no turn. Signs are those of
    ``observations``, for a picture that is not mirrored. Absolute values depend on the shape of the
    face (a frontal head may be estimated 8 degrees down): compare with the session's neutral pose.

    Args:
        face: the canonical face.
        mesh: landmarks in frame pixels.
        width: of the frame, in pixels.
        height: of the frame, in pixels.
    """
    # The field of view applies to the shorter side: a portrait frame is a rotated landscape frame.
    focal = min(width, height) / 2 / math.tan(_VERTICAL_FIELD_OF_VIEW / 2)
    camera = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    seen = mesh[face.indices, :2].astype(np.float64)
    try:
        fits, turn, shift = cv2.solvePnP(face.points, seen, camera, None, flags=cv2.SOLVEPNP_SQPNP)
        if not fits:
            return None
        turn, shift = cv2.solvePnPRefineLM(face.points, seen, camera, None, turn, shift)
    except cv2.error:  # The landmarks coincide, or are not finite.
        return None
    if not np.isfinite(turn).all() or not float(shift[2, 0]) > 0:
        return None
    to_axis = rotation_to_axis(*shift[:, 0].tolist())
    turned: list[list[float]] = cv2.Rodrigues(turn)[0].tolist()

    def entry(row: int, column: int) -> float:
        return sum(to_axis[row][k] * turned[k][column] for k in range(3))

    # The y and the z axis of the canonical face are those of OpenCV's camera reversed (y down, z away).
    return HeadPose(
        yaw=math.degrees(math.atan2(entry(0, 2), -entry(2, 2))),
        pitch=math.degrees(math.asin(max(-1.0, min(1.0, -entry(1, 2))))),
        roll=-math.degrees(math.atan2(-entry(1, 0), -entry(1, 1))),
    )


def rotation_to_axis(x: float, y: float, z: float) -> tuple[tuple[float, ...], ...]:
    """The smallest rotation, (3, 3), that brings a position in camera axes onto the camera's axis."""
    distance = math.hypot(x, y, z)
    x, y, cosine = x / distance, y / distance, z / distance
    # About (y, -x, 0), the position x the axis, whose length is the sine of the angle.
    if math.hypot(x, y) < _ON_AXIS:
        return (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
    share = 1 / (1 + cosine)  # (1 - cosine) / sine squared
    return (
        (cosine + share * y * y, -share * x * y, -x),
        (-share * x * y, cosine + share * x * x, -y),
        (x, y, cosine),
    )
