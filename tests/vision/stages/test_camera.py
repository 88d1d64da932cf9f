"""Which frames are decoded to measure detail."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
import simplejpeg
from tests.vision.moving import with_noise

from proctoring.observations import ImageQuality
from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.stages.camera import CameraStage
from proctoring.vision.stages.context import Context, Latest


def measure(
    pictures: Iterable[Pixels], *, decoded: bool = False
) -> list[tuple[Frame, ImageQuality]]:
    """Ten frames a second, and what the stage says of each."""
    stage, seen = CameraStage(), []
    for number, pixels in enumerate(pictures):
        frame = Frame(number / 10, read_jpeg(simplejpeg.encode_jpeg(pixels, quality=85)))
        if decoded:
            assert frame.pixels.size
        seen.append((frame, stage.run(Context(frame, 1.0, Latest()))["camera"]))
    return seen


def noisy(pixels: Pixels, count: int) -> list[Pixels]:
    generator = np.random.default_rng(1)
    return [with_noise(pixels, generator, 2) for _ in range(count)]


def test_a_picture_that_stays_is_decoded_every_four_fifths_of_a_second(astronaut: Pixels) -> None:
    seen = measure(noisy(astronaut, 21))
    assert [n for n, (frame, _) in enumerate(seen) if frame.decoded] == [0, 8, 16]
    assert len({quality.detail for _, quality in seen}) == 3
    assert len({quality.brightness for _, quality in seen}) > 10


def test_detail_is_measured_sooner_where_pixels_are_there(astronaut: Pixels) -> None:
    seen = measure(noisy(astronaut, 13), decoded=True)
    details = [quality.detail for _, quality in seen]
    assert [n for n in range(1, 13) if details[n] != details[n - 1]] == [4, 8, 12]


@pytest.mark.parametrize("share", [1 / 8, 1 / 50])
def test_a_hand_on_the_lens_and_a_lost_focus_are_measured_at_once(
    astronaut: Pixels, share: float
) -> None:
    soft = np.asarray(cv2.GaussianBlur(astronaut, (0, 0), 640 * share), np.uint8)
    seen = measure(noisy(astronaut, 12) + noisy(soft, 3))
    assert seen[11][1].detail > 2
    assert seen[12][1].detail < 1.1


def test_a_room_that_goes_dark_is_measured_at_once(astronaut: Pixels) -> None:
    dark = np.asarray(astronaut // 12, np.uint8)
    seen = measure(noisy(astronaut, 12) + noisy(dark, 3))
    assert seen[12][0].decoded
    assert seen[12][1].brightness < 25
