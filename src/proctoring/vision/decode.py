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
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from proctoring.errors import BadFrameError
from proctoring.vision.frame import LUMA_SIZE, Luma, Pixels, luma_of
from proctoring.vision.jpeg_structure import JpegStructure, read_structure

MAX_PIXELS = 3840 * 2160
"""Default limit in pixels: one 4K frame, 25 MB once decoded."""
MAX_SECONDS = 0.15
"""Default limit in seconds of processor time for a picture of several scans. One of 1920 x 1080 and ten
scans takes 0.06 s."""
MIN_SIDE = 32
"""Smallest accepted width and height, in pixels."""

_START_OF_IMAGE = b"\xff\xd8"
_64_BITS = (1 << 64) - 1
SCANNED_PER_SECOND = 160e6
"""Pixels times scans that are decoded in a second of processor time, at least: 3840 x 2160 in ten scans,
filled with noise, took 0.2 to 0.4 s. What would take longer than it may is not begun."""
_PIECE = 4096
"""Most bytes decoded between two checks of the time. A scan is a piece of its own, however short."""
_FOUR_COLOURS = ("CMYK", "YCCK")
_FIRST_ON_ITS_SIDE = 5
"""EXIF orientations from this one on exchange width and height."""
_ROTATIONS = {3: 2, 6: 3, 8: 1}
"""EXIF orientation to counter-clockwise quarter turns; mirrored ones are undone first."""


@dataclass(frozen=True, eq=False)
class Jpeg:
    """A JPEG whose header and structure were checked; an ``EncodedPicture``."""

    stored_width: int
    stored_height: int
    """In pixels, before it is turned upright."""
    single_pass: bool
    """Whether it can be decoded in one pass, also in a smaller size."""
    data: bytes
    structure: JpegStructure
    max_seconds: float
    """Processor time that decoding several scans may take."""

    @property
    def width(self) -> int:
        """In pixels, upright."""
        return self.stored_height if self._on_its_side else self.stored_width

    @property
    def height(self) -> int:
        """In pixels, upright."""
        return self.stored_width if self._on_its_side else self.stored_height

    @property
    def _on_its_side(self) -> bool:
        return self.structure.orientation >= _FIRST_ON_ITS_SIDE

    @cached_property
    def luma(self) -> Luma:
        """The small grey copy. Half of the time that all pixels take: the decoder reads all of the data,
        but transforms only the brightness, in a small size. Where the pixels are there already, it is made
        of them in less: the decoder's small size is the mean of the same pixels, so the two copies differ
        by rounding: 0.07 grey levels on average, at most 2 on recordings of people at quality 85, up to 6
        at single edges of saturated colours at quality 60.

        Raises:
            BadFrameError: the data are damaged or cut short.
        """
        if not self.single_pass or "_pixels" in self.__dict__:
            return luma_of(self._pixels)
        width, height = LUMA_SIZE
        if self._on_its_side:
            width, height = height, width
        try:
            grey = simplejpeg.decode_jpeg(
                self.data, colorspace="GRAY", min_width=width, min_height=height, strict=True
            )
        except ValueError as error:
            raise BadFrameError(f"JPEG damaged or cut short: {error}") from error
        return _upright(np.asarray(grey[:, :, 0], np.uint8), self.structure.orientation)

    @cached_property
    def digest(self) -> int:
        """64 bits, equal for two pictures of the same coded data: two pictures with the same pixels that
        one encoder coded alike. Metadata do not count. Python's hash of the bytes, which differs from
        process to process: 0.01 ms for 45 KiB, a fifth of the time that blake2b takes."""
        return hash(self.structure.without_metadata) & _64_BITS

    def decode(self) -> Pixels:
        """All pixels: (height, width, 3) RGB, upright.

        Raises:
            BadFrameError: the data are damaged or cut short, or take too long to decode.
        """
        return self._pixels

    @cached_property
    def _pixels(self) -> Pixels:
        if self.single_pass:
            pixels = _decode_fast(self.data)
        else:
            pixels = _decode_in_pieces(self.structure, self.max_seconds)
        return _upright(pixels, self.structure.orientation)


def decode_jpeg(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_seconds: float = MAX_SECONDS
) -> Pixels:
    """Decode one JPEG to (height, width, 3) RGB: ``read_jpeg`` and ``Jpeg.decode``."""
    return read_jpeg(data, max_pixels=max_pixels, max_seconds=max_seconds).decode()


def read_jpeg(
    data: bytes, *, max_pixels: int = MAX_PIXELS, max_seconds: float = MAX_SECONDS
) -> Jpeg:
    """Check the header and the structure of a JPEG, without decoding it.

    Decoded, it is RGB (greyscale and CMYK are converted), turned upright by its EXIF orientation.

    Args:
        data: the file.
        max_pixels: largest picture that is decoded.
        max_seconds: processor time that a picture of several scans may take.

    Raises:
        BadFrameError: not a JPEG, smaller than ``MIN_SIDE`` on a side, larger than ``max_pixels``, or of
            more scans or segments than cameras send.
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
    scans = len(structure.scans)
    if scans > 1 and width * height * scans > max_seconds * SCANNED_PER_SECOND:
        raise BadFrameError(
            f"JPEG has {width} x {height} pixels in {scans} scans: send baseline JPEG"
        )
    single_pass = structure.single_pass and colours not in _FOUR_COLOURS
    return Jpeg(width, height, single_pass, data, structure, max_seconds)


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


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Undo the EXIF orientation (Exif 2.3, tag 274)."""
    if orientation in (2, 4, 5, 7):  # Mirrored: undo that, then rotate like the unmirrored case.
        pixels = pixels[:, ::-1]
        orientation = {2: 1, 4: 3, 5: 8, 7: 6}[orientation]
    if orientation in _ROTATIONS:
        pixels = np.rot90(pixels, _ROTATIONS[orientation])
    return np.ascontiguousarray(pixels)
