"""Flat sheets and heads differ in how their landmarks move."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.landmarks import Mesh
from proctoring.vision.liveness.motion import Motion, affine_residual
from proctoring.vision.networks import VisionModels

from ..moving import turned_print, with_noise


@pytest.fixture(scope="module")
def mesh(vision_models: VisionModels, astronaut: Pixels) -> Mesh:
    """The landmarks of a real face, parallax included."""
    return read(vision_models, [astronaut])[0]


def read(models: VisionModels, pictures: list[Pixels]) -> list[Mesh]:
    """The landmarks of one face in each picture."""
    assert models.faces is not None
    tracker = FaceTracker(models.faces.detector, models.faces.landmarker)
    found = [tracker.update(Frame(n / 10, picture)) for n, picture in enumerate(pictures)]
    return [faces[0].mesh for faces in found if faces]


def turned_head(mesh: Mesh, degrees: float) -> Mesh:
    """The same head in space, turned about its upright axis."""
    angle = np.deg2rad(degrees)
    middle = mesh.mean(axis=0)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    return np.asarray((mesh - middle) @ turn.T + middle, np.float32)


def watched(meshes: list[Mesh], period: float = 0.5) -> Motion:
    motion = Motion()
    for n, mesh in enumerate(meshes):
        motion.update(n * period, mesh)
    return motion


def test_an_affine_map_leaves_nothing_over_and_tells_the_turn_of_a_sheet() -> None:
    points = np.random.default_rng(1).uniform(0, 100, (40, 2)).astype(np.float32)
    squeezed = np.asarray(points * [np.cos(np.deg2rad(30)), 1.0] + [7, -3], np.float32)
    turn, rest = affine_residual(points, squeezed)

    assert turn == pytest.approx(30, abs=0.1)
    assert rest == pytest.approx(0, abs=1e-3)


def test_turn_and_residual_are_those_of_ordinary_least_squares() -> None:
    generator = np.random.default_rng(2)
    for _ in range(50):
        before = generator.normal(300, 40, (51, 2))
        after = before @ generator.normal(0, 1, (2, 2)) + generator.normal(0, 2, (51, 2))
        columns = np.column_stack([before, np.ones(51)])
        solution, *_ = np.linalg.lstsq(columns, after, rcond=None)
        strengths = np.linalg.svd(solution[:2], compute_uv=False)
        turn, rest = affine_residual(before.astype(np.float32), after.astype(np.float32))

        assert turn == pytest.approx(np.degrees(np.arccos(strengths[1] / strengths[0])), abs=1e-3)
        squares = ((columns @ solution - after) ** 2).sum(axis=1)
        assert rest == pytest.approx(np.sqrt(squares.mean()), rel=1e-5)


def test_a_real_face_photographed_and_turned_flat_shows_no_depth(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    views = [turned_print(astronaut, yaw, yaw / 4, (290, 145)) for yaw in range(-36, 37, 4)]
    parallax = watched(read(vision_models, views)).parallax

    assert parallax is not None
    assert parallax < 0.001


def test_the_same_face_turned_in_space_shows_its_depth(mesh: Mesh) -> None:
    parallax = watched([turned_head(mesh, yaw) for yaw in range(-36, 37, 4)]).parallax

    assert parallax is not None
    assert parallax > 0.0015


def test_a_head_that_hardly_turns_says_nothing_about_depth(mesh: Mesh) -> None:
    assert watched([turned_head(mesh, yaw) for yaw in (-4, -2, 0, 2, 4) * 4]).parallax is None


def test_old_turns_are_forgotten(mesh: Mesh) -> None:
    turning = [turned_head(mesh, yaw) for yaw in range(-36, 37, 4)]
    assert watched(turning + [mesh] * 80).parallax is None


def test_a_still_picture_with_noise_does_not_sway(
    vision_models: VisionModels, astronaut: Pixels
) -> None:
    generator = np.random.default_rng(2)
    meshes = read(vision_models, [with_noise(astronaut, generator, 5) for _ in range(51)])
    travel = watched(meshes, period=0.2).travel

    assert travel is not None
    assert travel < 0.01


def test_sway_is_the_travel_in_eye_distances(mesh: Mesh) -> None:
    eyes = float(np.hypot(*(mesh[263, :2] - mesh[33, :2])))
    steps = [np.array([0.05 * eyes * (n % 2), 0, 0]) for n in range(60)]
    moved = [np.asarray(mesh + step, np.float32) for step in steps]

    assert watched(moved, period=0.2).travel == pytest.approx(0.05, rel=0.01)


def test_there_is_no_travel_before_ten_seconds(mesh: Mesh) -> None:
    assert watched([mesh] * 40, period=0.2).travel is None
