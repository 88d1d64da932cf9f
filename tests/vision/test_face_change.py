"""How far a face has changed, by two small grey copies."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from proctoring.vision.face_change import FaceChange, FacePicture
from proctoring.vision.frame import Luma
from proctoring.vision.landmarks import Mesh

SIZE = (120, 160)
MIDDLE = (80.0, 60.0)
NOISE = 1.0
_EYES = {33: (-18, -10), 133: (-6, -10), 159: (-12, -13), 145: (-12, -8)}
_LEFT_OF = {33: 263, 133: 362, 159: 386, 145: 374}
_MOUTH = {61: (-8, 16), 291: (8, 16), 0: (0, 13), 17: (0, 19)}


def mesh() -> Mesh:
    """Landmarks of the drawn face, as ``FacePicture`` uses them: the others lie on them."""
    points = np.zeros((478, 3), np.float32)
    angles = np.linspace(0, 2 * np.pi, 468)
    points[:468, :2] = np.stack([30 * np.cos(angles), 38 * np.sin(angles)], 1)
    for group in ([33, 133, 159, 145], [160, 158, 144, 153]):
        for own, like in zip(group, [33, 133, 159, 145], strict=True):
            x, y = _EYES[like]
            points[own, :2] = (x, y)
            mirrored = {160: 385, 158: 387, 144: 380, 153: 373}.get(own, _LEFT_OF[like])
            points[mirrored, :2] = (-x, y)
    for own, place in {**_MOUTH, 37: (-4, 13), 267: (4, 13), 84: (-4, 19), 314: (4, 19)}.items():
        points[own, :2] = place
    points[:, :2] += MIDDLE
    return points


def draw(
    *,
    iris: float = 0.0,
    shut: bool = False,
    mouth: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    light: float = 0.0,
    seed: int = 0,
) -> Luma:
    """A face with eyes of 12 pixels, as at a quarter of 640 x 480; drawn at four times that size."""
    big = np.full((4 * SIZE[0], 4 * SIZE[1]), 90.0, np.float32)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(4 * (MIDDLE[0] + x + shift[0])), round(4 * (MIDDLE[1] + y + shift[1]))

    cv2.ellipse(big, at(0, 0), (120, 152), 0, 0, 360, 170.0, -1)
    cv2.ellipse(big, at(0, 2), (10, 30), 0, 0, 360, 140.0, -1)  # a nose
    for side in (-1, 1):
        cv2.line(big, at(side * 5, -18), at(side * 19, -18), 80.0, 6)  # brows
        cv2.ellipse(big, at(12 * side, -10), (24, 10), 0, 0, 360, 170.0 if shut else 215.0, -1)
        if not shut:
            cv2.circle(big, at(12 * side + iris, -10), 9, 50.0, -1)
    cv2.ellipse(big, at(0, 16), (32, 6 + round(4 * mouth)), 0, 0, 360, 95.0, -1)
    big = np.asarray(cv2.GaussianBlur(big, (0, 0), 3.0), np.float32)  # a lens
    small = cv2.resize(big, SIZE[::-1], interpolation=cv2.INTER_AREA)
    noisy = small + light + np.random.default_rng(seed).normal(0, 0.7, SIZE)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def change_to(luma: Luma) -> FaceChange:
    picture = FacePicture(draw(seed=1), mesh(), 1.0)
    difference = picture.difference(luma)
    assert difference is not None
    return picture.change(difference, NOISE)


@pytest.mark.parametrize("seed", range(2, 6))
def test_noise_light_and_travel_are_no_change_of_the_face(seed: int) -> None:
    for luma in (
        draw(seed=seed),
        draw(seed=seed, light=12.0),
        draw(seed=seed, shift=(1.25, -0.5)),
    ):
        change = change_to(luma)
        assert change.eyes < 0.03
        assert change.mouth < 0.03
        assert change.head < 0.004
    assert change.travel == pytest.approx(1.35 / 60, abs=0.006)


@pytest.mark.parametrize("phase", [0.0, 2.0, 4.0])
def test_bands_of_lamps_that_flicker_are_no_change_of_the_face(phase: float) -> None:
    """As a rolling shutter shows lamps of 100 flashes a second: wider than an eye or a mouth is high."""
    bands = 4 * np.sin(2 * np.pi * np.arange(SIZE[0]) / 36 + phase)
    still, glance = draw(seed=2), draw(iris=1.0, seed=2)
    banded, beside = (
        np.asarray(np.clip(np.rint(luma + bands[:, None]), 0, 255), np.uint8)
        for luma in (still, glance)
    )
    change = change_to(banded)
    assert change.eyes < 0.02
    assert change.mouth < 0.02
    assert change.head < 0.004
    assert change_to(beside).eyes == pytest.approx(change_to(glance).eyes, rel=0.15)


@pytest.mark.parametrize("iris", [0.5, 1.0, -1.0])
def test_eyes_that_move_in_a_still_head_change(iris: float) -> None:
    """An iris that moves by a pixel is a look aside by some 11 degrees."""
    change = change_to(draw(iris=iris, seed=2))
    assert change.eyes > 0.035
    assert change.eyes > 3 * change_to(draw(seed=2)).eyes
    assert change.mouth < 0.03
    assert change.travel < 0.01


def test_eyes_that_shut_change() -> None:
    assert change_to(draw(shut=True, seed=2)).eyes > 0.1


def test_a_mouth_that_opens_changes() -> None:
    change = change_to(draw(mouth=2.0, seed=2))
    assert change.mouth > 0.05
    assert change.eyes < 0.03


def test_a_hand_before_the_face_changes_it() -> None:
    covered = draw(seed=2)
    covered[66:100, 84:130] = 140
    assert change_to(covered).head > 0.01


def test_a_face_of_too_few_pixels_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="too small"):
        FacePicture(draw(), mesh(), 0.3)


def test_a_face_outside_the_picture_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="outside"):
        FacePicture(draw(), mesh() + np.float32(200), 1.0)


def test_a_picture_of_another_size_is_not_compared() -> None:
    assert FacePicture(draw(), mesh(), 1.0).difference(draw()[:90]) is None
