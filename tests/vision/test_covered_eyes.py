from __future__ import annotations

import numpy as np
import pytest
from evaluation.covers import over_eyes

from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.covered_eyes import covered_eye
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import Mesh
from proctoring.vision.networks import VisionModels
from proctoring.vision.stages.camera_movement import NO_BACKGROUND

from .moving import with_noise

WHITE, BLACK = (255.0, 255.0, 255.0), (18.0, 18.0, 22.0)


def mesh_of(models: VisionModels, picture: Pixels) -> Mesh:
    assert models.faces
    (face,) = FaceTracker(models.faces.detector, models.faces.landmarker).update(Frame(0, picture))
    return face.mesh


def test_open_eyes_are_not_covered(vision_models: VisionModels, astronaut: Pixels) -> None:
    assert covered_eye(astronaut, mesh_of(vision_models, astronaut)) == ""


def test_eyes_in_shadow_are_not_covered(vision_models: VisionModels, astronaut: Pixels) -> None:
    mesh = mesh_of(vision_models, astronaut)
    flat = over_eyes(astronaut, mesh, (60.0, 50.0, 45.0), size=0.8)
    shadow = astronaut.copy()
    dark = (flat != astronaut).any(axis=2)
    shadow[dark] = (0.06 * astronaut[dark]).astype(np.uint8)
    assert covered_eye(shadow, mesh) == ""
    assert covered_eye(flat, mesh) == "an eye is covered"


@pytest.mark.parametrize("eyes", [1, 2])
@pytest.mark.parametrize(
    ("colour", "reason"), [(WHITE, "glare over an eye"), (BLACK, "an eye is covered")]
)
def test_opaque_glare_and_dark_glasses_are_told(
    vision_models: VisionModels,
    astronaut: Pixels,
    colour: tuple[float, float, float],
    reason: str,
    eyes: int,
) -> None:
    mesh = mesh_of(vision_models, astronaut)
    covered = over_eyes(astronaut, mesh, colour, eyes, size=0.8)
    assert covered_eye(covered, mesh) == reason


def test_gaze_through_glare_is_not_read(vision_models: VisionModels, astronaut: Pixels) -> None:
    analyser = VisionAnalyser(vision_models)
    glare = over_eyes(astronaut, mesh_of(vision_models, astronaut), WHITE, size=0.8)
    seen = [
        analyser.analyse(
            Frame(n / 5, with_noise(glare if n >= 15 else astronaut, np.random.default_rng(n), 2))
        ).observation
        for n in range(20)
    ]
    assert seen[14].candidate is not None
    assert seen[14].candidate.gaze is not None
    assert seen[-1].candidate is None or seen[-1].candidate.gaze is None
    assert any("eye" in unread.reason for unread in seen[-1].not_read if unread.what == "gaze")


def test_a_face_that_fills_the_picture_says_that_no_background_is_seen(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    analyser = VisionAnalyser(vision_models)
    close = np.ascontiguousarray(astronaut[60:230, 220:360])
    seen = [analyser.analyse(Frame(n / 2, close)).observation for n in range(5)]
    assert any(n.reason == NO_BACKGROUND for look in seen for n in look.not_read)
