"""Estimates the 478 landmarks of a face, irises included, in a square crop around it.

Crop and scaling are those of MediaPipe's face landmarker (Apache-2.0): a square of 1.5 times the face,
rotated so that the eyes are level, 256 x 256 pixels, RGB scaled to 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from proctoring.models.network import Network
from proctoring.observations import Box
from proctoring.vision.face_detection import FaceDetection
from proctoring.vision.frame import Pixels

Mesh = NDArray[np.float32]
"""(478, 3) x and y in frame pixels, z on the same scale (smaller is nearer to the camera)."""

SIDE = 256
"""Width and height of the network's input, in pixels."""
MARGIN = 1.5
"""Side of the crop over the longer side of the face."""
RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 33, 263
_RIGHT_SIDE, _LEFT_SIDE = 234, 454
_MAX_FOUR = 1280 * 720
"""Pixels of a frame up to which a fourth channel costs less to add than it saves."""


@dataclass(frozen=True, slots=True)
class Region:
    """A rotated square of the frame in which landmarks are estimated."""

    x: float
    y: float
    """Centre, in frame pixels."""
    side: float
    """In frame pixels."""
    angle: float
    """Rotation in radians, clockwise in the picture: that of the line through the eyes."""


def region_of_detection(detection: FaceDetection) -> Region:
    """The region of a detected face."""
    box = detection.box
    (right_x, right_y), (left_x, left_y) = detection.right_eye, detection.left_eye
    return Region(
        (box.left + box.right) / 2,
        (box.top + box.bottom) / 2,
        MARGIN * max(box.width, box.height),
        math.atan2(left_y - right_y, left_x - right_x),
    )


def region_of_mesh(mesh: Mesh) -> Region:
    """The region of the same face in the next frame."""
    across = mesh[LEFT_EYE_OUTER, :2] - mesh[RIGHT_EYE_OUTER, :2]
    angle = math.atan2(float(across[1]), float(across[0]))
    cosine, sine = math.cos(angle), math.sin(angle)
    level = mesh[:, :2] @ np.array([[cosine, -sine], [sine, cosine]], np.float32)
    low, high = _extent(level)
    middle = (low + high) / 2
    return Region(
        float(middle[0] * cosine - middle[1] * sine),
        float(middle[0] * sine + middle[1] * cosine),
        MARGIN * float((high - low).max()),
        angle,
    )


def hull(mesh: Mesh) -> Box:
    """Bounding box of the landmarks."""
    low, high = _extent(mesh[:, :2])
    return Box(*low.tolist(), *high.tolist())


def _extent(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smallest and greatest x and y of points, (n, 2)."""
    columns = np.ascontiguousarray(points.T)  # along the rows it takes five times as long
    return columns.min(axis=1), columns.max(axis=1)


def face_width(mesh: Mesh) -> float:
    """Width of the face in pixels, measured in space, so that turning the head does not reduce it."""
    return math.dist(mesh[_RIGHT_SIDE].tolist(), mesh[_LEFT_SIDE].tolist())


def estimate_landmarks(network: Network, pixels: Pixels, region: Region) -> tuple[Mesh, float]:
    """Estimate the mesh in a region, and the probability (0 to 1) that there is a face."""
    scale = region.side / SIDE
    cosine, sine = math.cos(region.angle) * scale, math.sin(region.angle) * scale
    half = (SIDE - 1) / 2
    to_frame = np.array(
        [
            [cosine, -sine, region.x - half * cosine + half * sine],
            [sine, cosine, region.y - half * sine - half * cosine],
        ],
        np.float32,
    )
    crop = crop_square(pixels, to_frame)
    points, presence = network(np.multiply(crop, np.float32(1 / 255), dtype=np.float32)[None])
    mesh = points.reshape(-1, 3).astype(np.float32, copy=True)
    mesh[:, :2] = mesh[:, :2] @ to_frame[:, :2].T + to_frame[:, 2]
    mesh[:, 2] *= scale
    return mesh, 1 / (1 + math.exp(-float(presence.reshape(-1)[0])))


def crop_square(pixels: Pixels, to_frame: NDArray[np.float32]) -> Pixels:
    """The square of which ``to_frame`` (2, 3) maps places to those in the frame, ``SIDE`` pixels wide."""
    # OpenCV warps four channels in 0.25 ms and three in 0.65, to the same values.
    four = pixels.shape[0] * pixels.shape[1] <= _MAX_FOUR
    source = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA) if four else pixels
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(source, to_frame, (SIDE, SIDE), flags=flags)
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGBA2RGB) if four else crop, np.uint8)
