"""Head pose in degrees: known turns of the canonical face, and damaged geometry."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models.store import ModelStore
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame
from proctoring.vision.head_pose import (
    CanonicalFace,
    estimate_head_pose,
    load_canonical_face,
    parse_geometry,
)
from proctoring.vision.landmarks import Mesh
from proctoring.vision.networks import FACE_LANDMARKER, VisionModels

from .conftest import photograph, warp


@pytest.fixture(scope="module")
def canonical(model_store: ModelStore) -> CanonicalFace:
    return load_canonical_face(model_store.fetch(FACE_LANDMARKER))


def seen(face: CanonicalFace, yaw: float, pitch: float, roll: float) -> Mesh:
    """The face as a camera of 63 degrees in 640 x 480 sees it, 60 cm straight ahead."""
    down, left, over = math.radians(-pitch), math.radians(yaw), math.radians(-roll)
    about_y = cv2.Rodrigues(np.array([0.0, left, 0.0]))[0]
    about_x = cv2.Rodrigues(np.array([down, 0.0, 0.0]))[0]
    about_z = cv2.Rodrigues(np.array([0.0, 0.0, over]))[0]
    turned = face.points @ (about_y @ about_x @ about_z).T
    away = 60.0 - turned[:, 2]
    focal = 240 / math.tan(math.radians(31.5))
    mesh = np.zeros((478, 3), np.float32)
    mesh[face.indices, 0] = 320 + focal * turned[:, 0] / away
    mesh[face.indices, 1] = 240 - focal * turned[:, 1] / away
    return mesh


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"), [*itertools.product((-40, 0, 25), (-20, 0, 30), (-30, 0, 15))]
)
def test_a_known_turn_is_read_back(
    canonical: CanonicalFace, yaw: float, pitch: float, roll: float
) -> None:
    pose = estimate_head_pose(canonical, seen(canonical, yaw, pitch, roll), 640, 480)

    assert pose is not None
    # The middle of the points is off the axis by a degree or so; the reading is against the line.
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=2.5)


def test_a_face_reads_the_same_wherever_in_the_picture_it_is(vision_models: VisionModels) -> None:
    assert vision_models.faces is not None
    portrait = photograph("astronaut")
    poses = []
    for shift in ((64, 20), (-100, 20), (200, 20), (64, 150), (64, -10)):
        tracker = FaceTracker(vision_models.faces.detector, vision_models.faces.landmarker)
        frame = Frame(0.0, warp(portrait, shift=shift))
        tracker.update(frame)
        (face,) = tracker.update(frame)
        pose = estimate_head_pose(vision_models.faces.canonical, face.mesh, 640, 480)
        assert pose is not None
        poses.append((pose.yaw, pose.pitch, pose.roll))

    assert np.ptp(np.array(poses), axis=0).max() < 4


def test_landmarks_that_fit_no_head_give_no_pose(canonical: CanonicalFace) -> None:
    assert estimate_head_pose(canonical, np.full((478, 3), np.nan, np.float32), 640, 480) is None


def test_the_canonical_face_is_a_face(canonical: CanonicalFace) -> None:
    assert len(canonical.indices) >= 30
    assert np.ptp(canonical.points, axis=0) == pytest.approx((15, 16, 10), abs=4)  # centimetres


@pytest.mark.parametrize("damage", [b"", b"\x0a\xff", b"\xff" * 40, bytes(100)])
def test_damaged_geometry_is_refused(damage: bytes) -> None:
    with pytest.raises(ModelUnavailableError, match="geometry"):
        parse_geometry(damage)


def test_a_task_file_without_geometry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.task").write_bytes(b"PK\x05\x06" + bytes(18))  # an empty zip

    with pytest.raises(ModelUnavailableError, match=r"other\.task holds no face geometry"):
        load_canonical_face(tmp_path / "other.task")
