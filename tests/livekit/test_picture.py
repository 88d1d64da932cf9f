from __future__ import annotations

import cv2
import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from skimage import data

from proctoring.livekit.picture import encode_i420

PORTRAIT: NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]


def resized(width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(PORTRAIT, (width, height)), np.uint8)


def i420(picture: NDArray[np.uint8]) -> bytes:
    """BT.601 planes, as a decoder gives them, for even sizes."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420).tobytes()


def encoded(picture: NDArray[np.uint8], rotation: int = 0, box: int = 4096) -> NDArray[np.uint8]:
    height, width, _ = picture.shape
    jpeg = encode_i420(
        i420(picture), width, height, rotation=rotation, max_width=box, max_height=box
    )
    decoded: NDArray[np.uint8] = simplejpeg.decode_jpeg(jpeg)
    return decoded


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_the_picture_comes_out_upright(rotation: int) -> None:
    landscape = np.ascontiguousarray(PORTRAIT[:384])
    turned = np.ascontiguousarray(np.rot90(landscape, k=rotation // 90))
    assert difference(encoded(turned, rotation), landscape) < 8


def test_it_is_shrunk_into_the_box_and_keeps_its_shape() -> None:
    wide = resized(1280, 720)
    jpeg = encode_i420(i420(wide), 1280, 720, max_width=640, max_height=480)
    small = simplejpeg.decode_jpeg(jpeg)
    assert small.shape == (360, 640, 3)
    assert difference(small, resized(640, 360)) < 6


def test_the_box_is_that_of_the_upright_picture() -> None:
    turned = np.ascontiguousarray(np.rot90(resized(1280, 720)))
    jpeg = encode_i420(i420(turned), 720, 1280, rotation=90, max_width=640, max_height=480)
    assert simplejpeg.decode_jpeg_header(jpeg)[:2] == (360, 640)


def test_it_is_never_enlarged() -> None:
    assert encoded(PORTRAIT[:100, :100].copy(), box=4000).shape == (100, 100, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (641, 479), (33, 2)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_odd_sizes_have_rounded_up_colour_planes(size: tuple[int, int], rotation: int) -> None:
    width, height = size
    chroma = ((width + 1) // 2) * ((height + 1) // 2)
    planes = bytes([90]) * (width * height) + bytes([128]) * (2 * chroma)
    jpeg = encode_i420(planes, width, height, rotation=rotation, max_width=320, max_height=320)
    grey = simplejpeg.decode_jpeg(jpeg)
    assert np.abs(grey.astype(int) - round((90 - 16) * 255 / 219)).max() <= 1
    upright = grey.shape[:2] if rotation else grey.shape[1::-1]
    assert upright[0] <= width + width % 2
    assert upright[1] <= height + height % 2


def test_black_stays_black_and_white_white() -> None:
    for level in (0, 255):
        assert np.abs(encoded(np.full((64, 64, 3), level, np.uint8)).astype(int) - level).max() <= 1


def test_data_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match="not an I420 picture of 640 x 480"):
        encode_i420(bytes(100), 640, 480, max_width=640, max_height=480)


def test_a_rotation_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not 45"):
        encode_i420(bytes(6), 2, 2, rotation=45, max_width=640, max_height=480)
