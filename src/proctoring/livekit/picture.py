"""A WebRTC frame to a JPEG, without conversion to RGB."""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

_Plane = NDArray[np.uint8]

QUALITY = 85
"""JPEG quality. 75 to 90 take the same time; below 80, blocking artefacts begin to shift small facial
landmarks."""

_STEPS = np.arange(256, dtype=np.float32)
_LUMA = np.clip(np.rint((_STEPS - 16) * (255 / 219)), 0, 255).astype(np.uint8)
_CHROMA = np.clip(np.rint((_STEPS - 128) * (255 / 224) + 128), 0, 255).astype(np.uint8)
"""From the limited range of WebRTC's planes (BT.601: 16 to 235 and 240) to the full range of a JPEG
(JFIF). Without conversion frames would lose a seventh of their contrast."""


def encode_i420(
    data: bytes | bytearray | memoryview,
    width: int,
    height: int,
    *,
    rotation: int = 0,
    max_width: int,
    max_height: int,
) -> bytes:
    """An upright JPEG of at most ``max_width`` x ``max_height`` pixels.

    Never enlarged, except for a side of odd length by one pixel: chroma has half the resolution.

    ``data``: the planes Y (height x width), U and V (each half as high and wide, rounded up), one
    after another without padding. ``rotation``: degrees, clockwise, by which the picture must be
    rotated to be upright (0, 90, 180, 270), as WebRTC reports them.

    Raises ``ValueError`` when the data have another size or the rotation is none of these.
    """
    if rotation not in (0, 90, 180, 270):
        raise ValueError(f"rotation must be 0, 90, 180 or 270 degrees, not {rotation}")
    sideways = rotation in (90, 270)
    box = (max_height, max_width) if sideways else (max_width, max_height)
    luma, *chroma = _planes(data, width, height)
    wide, high = _fitted(luma.shape[1], luma.shape[0], *box)
    planes = [
        _rotated(_LUMA.take(_resized(luma, wide, high)), rotation),
        *(
            _rotated(_CHROMA.take(_resized(each, wide // 2, high // 2)), rotation)
            for each in chroma
        ),
    ]
    encoded: bytes = simplejpeg.encode_jpeg_yuv_planes(*planes, quality=QUALITY)
    return encoded


def _planes(
    data: bytes | bytearray | memoryview, width: int, height: int
) -> tuple[_Plane, _Plane, _Plane]:
    """Y, U and V; Y padded to even width and height by repeating its last column and row."""
    flat = np.frombuffer(data, np.uint8)
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    luma, chroma = width * height, half_width * half_height
    if width < 1 or height < 1 or flat.size != luma + 2 * chroma:
        raise ValueError(f"{flat.size} bytes are not an I420 picture of {width} x {height}")
    bright = flat[:luma].reshape(height, width)
    if width % 2 or height % 2:
        bright = np.pad(bright, ((0, height % 2), (0, width % 2)), mode="edge")
    return (
        bright,
        flat[luma : luma + chroma].reshape(half_height, half_width),
        flat[luma + chroma :].reshape(half_height, half_width),
    )


def _fitted(width: int, height: int, max_width: int, max_height: int) -> tuple[int, int]:
    """The largest even size that fits, with the same aspect ratio."""
    scale = min(1.0, max_width / width, max_height / height)
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)


def _resized(plane: _Plane, width: int, height: int) -> _Plane:
    if plane.shape == (height, width):
        return plane
    # reducing_gap=1: integer factors (720p to 640 x 360) use Pillow's fast box reduction alone.
    picture = Image.fromarray(plane)
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0))


def _rotated(plane: _Plane, rotation: int) -> _Plane:
    return np.ascontiguousarray(np.rot90(plane, k=-(rotation // 90)))
