"""Decoding JPEG to upright RGB pixels.

The header is checked before anything is decoded, so that a small message cannot make the server
allocate a large picture. Decoding uses libjpeg-turbo through simplejpeg; Pillow decodes CMYK and reads
the EXIF orientation.
"""

from __future__ import annotations

import io

import numpy as np
import simplejpeg
from PIL import ExifTags, Image

from proctoring.errors import BadFrameError
from proctoring.vision.frame import Pixels

MAX_PIXELS = 3840 * 2160
"""Default limit in pixels: one 4K frame, 25 MB once decoded."""
MIN_SIDE = 32
"""Smallest accepted width and height, in pixels."""

_START_OF_IMAGE = b"\xff\xd8"
_EXIF = b"Exif\0\0"
_EXIF_WITHIN = 4096
"""Bytes within which EXIF begins where a camera wrote it: only then is Pillow asked for it."""
_FOUR_COLOURS = ("CMYK", "YCCK")
_ROTATIONS = {3: 2, 6: 3, 8: 1}
"""EXIF orientation to counter-clockwise quarter turns; mirrored ones are undone first."""


def decode_jpeg(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Decode one JPEG to (height, width, 3) RGB, turned upright by its EXIF orientation.

    Greyscale and CMYK are converted to RGB.

    Raises:
        BadFrameError: not a JPEG, damaged or truncated, smaller than ``MIN_SIDE`` on a side, or
            larger than ``max_pixels``.
    """
    if not data.startswith(_START_OF_IMAGE):
        raise BadFrameError(f"not a JPEG: begins with {data[:2].hex(' ') or 'nothing'}")
    width, height, colours = _read_header(data)
    if min(width, height) < MIN_SIDE:
        raise BadFrameError(f"picture too small: {width} x {height}, at least {MIN_SIDE} a side")
    if width * height > max_pixels:
        raise BadFrameError(
            f"picture too large: {width} x {height}, at most {max_pixels / 1e6:.1f} megapixels"
        )
    pixels = _decode_with_pillow(data) if colours in _FOUR_COLOURS else _decode_fast(data)
    return _upright(pixels, _orientation(data))


def _read_header(data: bytes) -> tuple[int, int, str]:
    """Width, height and colour space."""
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError) as error:  # KeyError: no colour space was found
        raise BadFrameError("not a JPEG: the header cannot be read") from error
    return int(width), int(height), str(colours)


def _decode_fast(data: bytes) -> Pixels:
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colorspace="RGB", strict=True), np.uint8)
    except ValueError as error:
        raise BadFrameError(f"JPEG damaged or cut short: {error}") from error


def _decode_with_pillow(data: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise BadFrameError(f"JPEG damaged or cut short: {error}") from error


def _orientation(data: bytes) -> int:
    if _EXIF not in data[:_EXIF_WITHIN]:
        return 1
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
            return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError):
        return 1  # Damaged EXIF does not invalidate the pixels.


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (Exif 2.3, tag 274)."""
    if orientation in (2, 4, 5, 7):  # Mirrored: undo that, then rotate like the unmirrored case.
        pixels = pixels[:, ::-1]
        orientation = {2: 1, 4: 3, 5: 8, 7: 6}[orientation]
    if orientation in _ROTATIONS:
        pixels = np.rot90(pixels, _ROTATIONS[orientation])
    return np.ascontiguousarray(pixels)
