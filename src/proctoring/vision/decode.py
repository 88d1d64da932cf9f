"""Decoding JPEG to upright RGB pixels, in bounded time and memory.

The header and the structure are checked before anything is decoded, so that a small message can
neither make the server allocate a large picture nor occupy a worker for long. A picture of one scan is
decoded by libjpeg-turbo through simplejpeg, in time in proportion to its pixels and bytes. One of several
scans is decoded by Pillow, with the same library, in pieces between which the time is checked; also CMYK,
which simplejpeg does not convert. Both release the interpreter's lock.
"""

from __future__ import annotations

import io
import time
from bisect import bisect_right

import numpy as np
import simplejpeg
from PIL import Image

from proctoring.errors import BadFrameError
from proctoring.vision.frame import Pixels
from proctoring.vision.jpeg_structure import JpegStructure, read_structure

MAX_PIXELS = 3840 * 2160
"""Default limit in pixels: one 4K frame, 25 MB once decoded."""
MAX_SECONDS = 0.15
"""Default limit in seconds of processor time for a picture of several scans. One of 1920 x 1080 and ten
scans takes 0.06 s."""
MIN_SIDE = 32
"""Smallest accepted width and height, in pixels."""

_START_OF_IMAGE = b"\xff\xd8"
SCANNED_PER_SECOND = 160e6
"""Pixels times scans that are decoded in a second of processor time, at least: 3840 x 2160 in ten scans,
filled with noise, took 0.2 to 0.4 s. What would take longer than it may is not begun."""
_PIECE = 4096
"""Most bytes decoded between two checks of the time. A scan is a piece of its own, however short."""
_FOUR_COLOURS = ("CMYK", "YCCK")
_ROTATIONS = {3: 2, 6: 3, 8: 1}
"""EXIF orientation to counter-clockwise quarter turns; mirrored ones are undone first."""


def decode_jpeg(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_seconds: float = MAX_SECONDS
) -> Pixels:
    """Decode one JPEG to (height, width, 3) RGB, turned upright by its EXIF orientation.

    Greyscale and CMYK are converted to RGB.

    Args:
        data: the file.
        max_pixels: largest picture that is decoded.
        max_seconds: processor time that a picture of several scans may take.

    Raises:
        BadFrameError: not a JPEG, damaged or truncated, smaller than ``MIN_SIDE`` on a side, larger
            than ``max_pixels``, of more scans or segments than cameras send, or too slow to decode.
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
    structure = read_structure(data)
    if structure.single_pass and colours not in _FOUR_COLOURS:
        pixels = _decode_fast(data)
    else:
        scans = len(structure.scans)
        if scans > 1 and width * height * scans > max_seconds * SCANNED_PER_SECOND:
            raise BadFrameError(
                f"JPEG has {width} x {height} pixels in {scans} scans: send baseline JPEG"
            )
        pixels = _decode_in_pieces(structure, max_seconds)
    return _upright(pixels, structure.orientation)


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


def _decode_in_pieces(structure: JpegStructure, max_seconds: float) -> Pixels:
    try:
        with Image.open(_TimedPieces(structure, max_seconds), formats=("JPEG",)) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise BadFrameError(f"JPEG damaged or cut short: {error}") from error


class _TimedPieces(io.BytesIO):
    """A file that gives a decoder one piece at a time, while its time is not used up.

    Args:
        structure: of the picture.
        seconds: processor time of the calling thread, from now on.
    """

    def __init__(self, structure: JpegStructure, seconds: float) -> None:
        super().__init__(structure.without_metadata)
        self._scans = structure.scans
        self._seconds = seconds
        self._until = time.thread_time() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes, not beyond the beginning of the next scan.

        Raises:
            BadFrameError: the time is used up.
        """
        if time.thread_time() > self._until:
            raise BadFrameError(
                f"JPEG takes longer than {self._seconds:g} s to decode: send baseline JPEG"
            )
        at = self.tell()
        following = bisect_right(self._scans, at)
        end = at + _PIECE if size is None or size < 0 else at + min(size, _PIECE)
        return super().read(min(end, *self._scans[following : following + 1], end) - at)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undo the EXIF orientation (Exif 2.3, tag 274)."""
    if orientation in (2, 4, 5, 7):  # Mirrored: undo that, then rotate like the unmirrored case.
        pixels = pixels[:, ::-1]
        orientation = {2: 1, 4: 3, 5: 8, 7: 6}[orientation]
    if orientation in _ROTATIONS:
        pixels = np.rot90(pixels, _ROTATIONS[orientation])
    return np.ascontiguousarray(pixels)
