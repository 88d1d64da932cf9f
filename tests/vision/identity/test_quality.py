from __future__ import annotations

import cv2
import numpy as np
import pytest

from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.identity.quality import rejection_reason
from proctoring.vision.landmarks import Mesh
from proctoring.vision.networks import VisionModels


def mesh_of(models: VisionModels, picture: Pixels) -> Mesh:
    assert models.faces
    (face,) = FaceTracker(models.faces.detector, models.faces.landmarker).update(Frame(0, picture))
    return face.mesh


def darkened(picture: Pixels, share: float) -> Pixels:
    return np.asarray(picture * share, np.uint8)


def test_a_good_face_is_fit(vision_models: VisionModels, astronaut: Pixels) -> None:
    assert rejection_reason(astronaut, mesh_of(vision_models, astronaut)) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: cv2.resize(p, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), "smaller"),
        (lambda p: darkened(p, 0.12), "too dark"),
        (lambda p: np.asarray(cv2.GaussianBlur(p, (0, 0), 4), np.uint8), "blurred"),
    ],
)
def test_what_cannot_be_compared_says_why(
    vision_models: VisionModels, astronaut: Pixels, change: object, reason: str
) -> None:
    picture = np.ascontiguousarray(change(astronaut))  # type: ignore[operator]
    assert reason in rejection_reason(picture, mesh_of(vision_models, picture))


def test_a_face_turned_away_says_so(vision_models: VisionModels, astronaut: Pixels) -> None:
    mesh = mesh_of(vision_models, astronaut).copy()
    mesh[1] = mesh[234]  # the nose at the edge of the face
    assert rejection_reason(astronaut, mesh) == "face turned away"
