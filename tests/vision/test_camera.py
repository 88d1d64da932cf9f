"""Image quality of real photographs: dimmed, overexposed, blurred and covered."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.judgement.build import EXAM
from tests.vision.conftest import photograph

from proctoring.judgement.conditions import readings
from proctoring.observations import FrameObservation
from proctoring.vision.camera import measure_camera
from proctoring.vision.frame import Pixels

PLACES = ["astronaut", "coffee", "chelsea"]


def dimmed(pixels: Pixels, gamma: float) -> Pixels:
    return np.asarray((255 * (pixels / 255.0) ** gamma).round(), np.uint8)


def blurred(pixels: Pixels, share: float) -> Pixels:
    """Out of focus by this share of the picture's width."""
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), pixels.shape[1] * share), np.uint8)


def noisy(pixels: Pixels, deviation: float = 4.0) -> Pixels:
    noise = np.random.default_rng(1).normal(0, deviation, pixels.shape)
    return np.asarray(np.clip(pixels + noise, 0, 255), np.uint8)


def trouble(pixels: Pixels) -> list[str]:
    """The camera incidents that the exam policy sees in one picture."""
    height, width = pixels.shape[:2]
    observation = FrameObservation(0.0, width, height, (), None, None)
    observation = replace(observation, camera=measure_camera(pixels))
    return [
        reading.kind
        for reading in readings(EXAM, None, observation)
        if reading.kind.startswith("camera.") and reading.held
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("gamma", [0.6, 1.0, 1.5])
def test_a_picture_in_ordinary_light_is_no_trouble(place: str, gamma: float) -> None:
    assert trouble(noisy(dimmed(photograph(place), gamma))) == []


@pytest.mark.parametrize("place", PLACES)
def test_a_dark_room_is_dark_and_nothing_else(place: str) -> None:
    assert trouble(noisy(dimmed(photograph(place), 7.0), 1.0)) == ["camera.dark"]


@pytest.mark.parametrize("colour", [(0, 0, 0), (6, 4, 5), (150, 60, 50), (128, 128, 128)])
def test_an_even_surface_with_sensor_noise_is_a_covered_camera(colour: tuple[int, ...]) -> None:
    assert trouble(noisy(np.full((480, 640, 3), colour, np.uint8))) == ["camera.covered"]


@pytest.mark.parametrize("place", PLACES)
def test_a_hand_on_the_lens_covers_whatever_light_it_lets_through(place: str) -> None:
    assert trouble(noisy(blurred(photograph(place), 1 / 8))) == ["camera.covered"]


@pytest.mark.parametrize("place", PLACES)
def test_a_picture_out_of_focus_differs_from_a_covered_one(place: str) -> None:
    assert trouble(blurred(photograph(place), 1 / 50)) == ["camera.blurred"]


@pytest.mark.parametrize("place", PLACES)
def test_a_burnt_picture_is_too_bright(place: str) -> None:
    bright = np.clip(photograph(place).astype(np.int32) * 8 + 90, 0, 255).astype(np.uint8)
    assert trouble(bright) == ["camera.bright"]


def test_the_measures_do_not_depend_on_the_size_of_the_picture() -> None:
    large = cv2.resize(photograph("astronaut"), (1280, 960), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(large, (640, 480), interpolation=cv2.INTER_AREA)
    one, other = measure_camera(np.asarray(large)), measure_camera(np.asarray(small))
    assert one.structure == pytest.approx(other.structure, rel=0.05)
    assert one.detail == pytest.approx(other.detail, rel=0.1)
