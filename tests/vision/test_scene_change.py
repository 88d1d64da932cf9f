"""What counts as a change of the scene, on real pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg

from proctoring.observations import Box
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.scene_change import Scene, scene_of

from .conftest import photograph, warp
from .moving import with_noise

FACE = Box(245, 90, 335, 200)


def scene(pixels: Pixels, *, noise: float = 2.0, seed: int = 0, time: float = 0.0) -> Scene:
    noisy = with_noise(pixels, np.random.default_rng(seed), noise)
    frame = Frame(time, read_jpeg(simplejpeg.encode_jpeg(noisy, quality=80)))
    made = scene_of(frame, [FACE])
    assert not frame.decoded
    return made


def changed(before: Pixels, after: Pixels, *, noise: float = 2.0) -> int:
    """Number of changed blocks, of 300."""
    return int(scene(before, noise=noise).changed(scene(after, noise=noise, seed=1)).sum())


def with_patch(pixels: Pixels, box: tuple[int, int, int, int], level: int) -> Pixels:
    """The picture with an even patch (left, top, right, bottom)."""
    left, top, right, bottom = box
    other = pixels.copy()
    other[top:bottom, left:right] = level
    return other


def soft(pixels: Pixels) -> Pixels:
    """As sharp as a webcam, not as a photograph."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2.5), np.uint8)


@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0, 12.0])
def test_noise_is_no_change(astronaut: Pixels, noise: float) -> None:
    assert changed(astronaut, astronaut, noise=noise) == 0


@pytest.mark.parametrize("shift", [(4.0, 0.0), (-4.0, 4.0), (0.0, 4.0)])
def test_slight_sway_is_no_change(astronaut: Pixels, shift: tuple[float, float]) -> None:
    swaying = warp(photograph("astronaut"), shift=(64.0 + shift[0], 20.0 + shift[1]))
    assert changed(soft(astronaut), soft(swaying)) == 0


@pytest.mark.parametrize("gain", [0.96, 1.04])
def test_auto_exposure_is_no_change(astronaut: Pixels, gain: float) -> None:
    brighter = np.asarray(np.clip(astronaut * gain + 3, 0, 255), np.uint8)
    assert changed(astronaut, brighter) == 0


def test_a_lamp_that_is_switched_on_is_a_change(astronaut: Pixels) -> None:
    y, x = np.mgrid[0:480, 0:640]
    lamp = 90 * np.exp(-((x - 600) ** 2 + (y - 60) ** 2) / 2 / 120**2)
    lit = np.asarray(np.clip(astronaut + lamp[..., None], 0, 255), np.uint8)
    assert changed(astronaut, lit) > 0


def test_what_moves_within_the_face_is_no_change(astronaut: Pixels) -> None:
    speaking = with_patch(astronaut, (270, 160, 310, 185), 40)
    assert changed(astronaut, speaking) == 0


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((300, 400, 340, 470), id="in the lap"),
        pytest.param((600, 200, 640, 260), id="at the edge"),
        pytest.param((360, 110, 400, 180), id="at the ear"),
        pytest.param((0, 0, 40, 40), id="in the corner"),
    ],
)
def test_a_thing_of_a_small_phones_size_is_a_change_anywhere(
    astronaut: Pixels, box: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = box
    dark = astronaut[top:bottom, left:right].mean() > 128
    assert changed(astronaut, with_patch(astronaut, box, 20 if dark else 235)) > 0


def test_another_size_of_the_picture_is_a_change_of_all(astronaut: Pixels) -> None:
    small = np.asarray(cv2.resize(astronaut, (320, 240)), np.uint8)
    assert scene(astronaut).changed(scene(small)).all()
