"""Measures that are computed number by number, or by OpenCV, equal their plain definition in arrays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from proctoring.vision.camera import measure_camera
from proctoring.vision.eyes import measure_eyes
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels, luma_of
from proctoring.vision.head_pose import rotation_to_axis
from proctoring.vision.landmarks import SIDE, Mesh, crop_square
from proctoring.vision.networks import VisionModels

EYES = (
    (33, 133, 468, (159, 158, 160), (145, 153, 144)),
    (362, 263, 473, (386, 385, 387), (374, 380, 373)),
)


@pytest.fixture(scope="module")
def mesh(vision_models: VisionModels, astronaut: Pixels) -> Mesh:
    assert vision_models.faces is not None
    tracker = FaceTracker(vision_models.faces.detector, vision_models.faces.landmarker)
    return tracker.update(Frame(0.0, astronaut))[0].mesh


def eye(
    mesh: Mesh, eye: tuple[int, int, int, tuple[int, ...], tuple[int, ...]]
) -> NDArray[np.float64]:
    """Width; iris across, iris down, upper and lower lid in eye widths."""
    points = mesh[:, :2].astype(np.float64)
    start, end, iris, upper, lower = eye
    width = np.linalg.norm(points[end] - points[start])
    across = (points[end] - points[start]) / width
    down = np.array([-across[1], across[0]])
    middle = (points[start] + points[end]) / 2
    lids = [(points[list(lid)].mean(axis=0) - middle) @ down for lid in (upper, lower)]
    from_middle = points[iris] - middle
    return np.array([width, *np.array([from_middle @ across, from_middle @ down, *lids]) / width])


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("turn", [0, 40])
def test_eyes_are_the_mean_of_both_weighted_by_their_width(
    mesh: Mesh, scale: float, turn: float
) -> None:
    about = cv2.getRotationMatrix2D((300.0, 150.0), turn, scale)
    moved = mesh.copy()
    moved[:, :2] = mesh[:, :2] @ about[:, :2].T + about[:, 2]
    right, left = (eye(moved, one) for one in EYES)
    expected = (right[0] * right[1:] + left[0] * left[1:]) / (right[0] + left[0])
    shape = measure_eyes(moved)

    assert shape is not None
    measured = (shape.iris_across, shape.iris_down, shape.upper_lid, shape.lower_lid)
    assert measured == pytest.approx(expected, abs=1e-9)


def test_the_rotation_to_the_axis_is_the_smallest_one() -> None:
    generator = np.random.default_rng(3)
    for position in [*generator.normal((0, 0, 60), 30, (50, 3)), np.array([0.0, 0.0, 9.0])]:
        position[2] = abs(position[2]) + 1
        line = position / np.linalg.norm(position)
        axis = np.cross(line, (0, 0, 1))
        sine = np.linalg.norm(axis)
        vector = axis / max(sine, 1e-12) * np.arctan2(sine, line[2])
        rotation = np.array(rotation_to_axis(*position.tolist()))

        assert rotation == pytest.approx(cv2.Rodrigues(vector)[0], abs=1e-12)


def test_a_crop_is_the_same_to_the_last_bit_whatever_the_channels(astronaut: Pixels) -> None:
    for turn, side in ((0.1, 0.8), (-0.4, 1.3), (1.5, 0.4)):
        sine, cosine = np.sin(turn) * side, np.cos(turn) * side
        to_frame = np.array([[cosine, -sine, 200], [sine, cosine, 20]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        three = cv2.warpAffine(astronaut, to_frame, (SIDE, SIDE), flags=flags)

        assert np.array_equal(crop_square(astronaut, to_frame), three)


def test_camera_measures_are_means_and_standard_deviations(astronaut: Pixels) -> None:
    fine = cv2.cvtColor(
        cv2.resize(astronaut, (320, 240), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    small = cv2.resize(luma_of(astronaut), (80, 60), interpolation=cv2.INTER_AREA)
    small = small.astype(np.float64)
    gradient = cv2.GaussianBlur(small, (0, 0), 4.0)
    edges = cv2.Laplacian(cv2.GaussianBlur(fine.astype(np.float64), (0, 0), 1.0), cv2.CV_64F)
    quality = measure_camera(astronaut)

    assert quality.brightness == pytest.approx(small.mean())
    assert quality.overexposed == pytest.approx((small >= 250).mean())
    assert quality.structure == pytest.approx((small - gradient).std(), rel=1e-5)
    assert quality.detail == pytest.approx(edges.std(), rel=1e-5)
