"""In which light the networks may score a face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg

from proctoring.observations import Box, Liveness, NotRead
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.frame import Pixels
from proctoring.vision.landmarks import Mesh
from proctoring.vision.liveness.light import why_not_scored
from proctoring.vision.liveness.scoring import LivenessScorer
from proctoring.vision.liveness.tracker import LivenessTracker
from proctoring.vision.networks import VisionModels

from ..conftest import photograph, warp
from .test_motion import read

FACE = Box(214, 100, 330, 250)
"""The face in ``photo``."""


@pytest.fixture(scope="module")
def photo() -> Pixels:
    """(480, 640, 3) a photograph, the face about 115 pixels wide."""
    return warp(photograph("astronaut"), shift=(64.0, 80.0), scale=1.25)


@pytest.fixture(scope="module")
def mesh(vision_models: VisionModels, photo: Pixels) -> Mesh:
    return read(vision_models, [photo])[0]


def brighter(picture: Pixels, gain: float, offset: float) -> Pixels:
    return np.asarray(cv2.convertScaleAbs(picture, alpha=gain, beta=offset), np.uint8)


def one_channel(picture: Pixels) -> Pixels:
    """The picture as a JPEG of one channel, decoded as a live frame is."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None]
    return decode_jpeg(simplejpeg.encode_jpeg(grey, quality=80, colorspace="GRAY"))


def test_a_face_in_ordinary_light_is_scored(photo: Pixels) -> None:
    assert why_not_scored(photo, FACE) == ""


@pytest.mark.parametrize("quality", [12, 25, 90])
def test_strong_compression_is_no_reason(photo: Pixels, quality: int) -> None:
    pressed = decode_jpeg(simplejpeg.encode_jpeg(photo, quality=quality))
    assert why_not_scored(pressed, FACE) == ""


def test_an_overexposed_face_is_not_scored(photo: Pixels) -> None:
    assert why_not_scored(brighter(photo, 1.9, 25), FACE) == "face too bright"


def test_a_bright_window_behind_the_face_is_no_reason(photo: Pixels) -> None:
    backlit = photo.copy()
    backlit[:, 340:] = 255
    assert why_not_scored(backlit, FACE) == ""


def test_a_picture_of_one_channel_is_not_scored(photo: Pixels) -> None:
    assert why_not_scored(one_channel(photo), FACE) == "picture without colour"


def test_a_grey_print_before_a_colour_camera_is_scored(photo: Pixels) -> None:
    room = one_channel(photo).copy()
    room[:, 400:] = (150, 120, 90)
    assert why_not_scored(room, FACE) == ""


def test_what_is_not_scored_keeps_its_movement_and_says_why(photo: Pixels, mesh: Mesh) -> None:
    def never(*_: object) -> float:
        raise AssertionError("scored")

    tracker = LivenessTracker(LivenessScorer("networks", never))
    for n in range(52):
        tracker.update(n / 5, 1, mesh)
    life, unread = tracker.score(10.2, one_channel(photo), 1, mesh)

    assert isinstance(life, Liveness)
    assert life.score is None
    assert life.motion == 0
    assert unread == NotRead("liveness", "picture without colour")


def test_without_networks_light_is_no_reason(photo: Pixels, mesh: Mesh) -> None:
    tracker = LivenessTracker(None)
    tracker.update(0.0, 1, mesh)
    assert tracker.score(0.0, one_channel(photo), 1, mesh)[1] is None
