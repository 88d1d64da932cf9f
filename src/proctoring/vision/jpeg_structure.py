"""The parts of a JPEG, read without decoding it: what a decoder would have to do, and its orientation.

A small JPEG can cost its decoder minutes. A progressive one is a series of scans, each of which is a
pass over the whole picture and takes some 20 bytes; metadata can be millions of empty segments, or
tables that refer to each other. All of that is counted here by jumping from marker to marker
(ITU-T T.81, annex B), which takes some microseconds for a frame of a camera.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np

from proctoring.errors import BadFrameError

MAX_SCANS = 24
"""Scans of one picture. Cameras send 1, or 3 where the colours follow each other. libjpeg's progressive
pictures have 10, those of mozjpeg, which searches for the smallest, up to some 16."""
MAX_SEGMENTS = 256
"""Segments of one picture: tables, metadata, scans. Photos of phones, with depth maps, have up to some 100
of 64 KiB; a camera's frame has 10."""

_NEAR = 1 << 17
"""Bytes searched for a marker by regular expression: the frame of a camera. It takes half of numpy's time, but
on data made for that twenty times as long, and holds the interpreter's lock."""
_BLOCK = 1 << 16
"""Bytes searched for a marker at a time beyond."""
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""The first marker that is no restart marker: those divide a scan's data."""

_START_OF_IMAGE = 0xD8
_END_OF_IMAGE = 0xD9
_START_OF_SCAN = 0xDA
_WITHOUT_BODY = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN_CODED = frozenset({0xC0, 0xC1, 0xC2})
"""Frame headers of baseline, extended and progressive pictures; others are lossless, hierarchical or
arithmetic coded."""
_PROGRESSIVE = 0xC2
_NEEDED_TO_DECODE = frozenset({*range(0xC0, 0xE0), 0xE0, 0xEE})
"""Without metadata, which are application segments other than JFIF's and Adobe's, and comments."""
_EXIF_SEGMENT = 0xE1
_EXIF = b"Exif\0\0"

_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION = 0x0112
_SHORT = 3
_MAX_TAGS = 256
"""Entries searched for the orientation. Cameras write some 20, in ascending order."""


@dataclass(frozen=True, slots=True)
class JpegStructure:
    """What one JPEG consists of."""

    progressive: bool
    scans: tuple[int, ...]
    """Where in ``without_metadata`` each scan begins."""
    orientation: int
    """Exif 2.3, tag 274: 1 to 8; 1 where there is none that can be read."""
    without_metadata: bytes
    """The same picture without metadata and without what follows its end: for decoders that interpret
    them, and to tell whether two pictures are the same."""

    @property
    def single_pass(self) -> bool:
        """Whether decoding takes time in proportion to pixels and bytes only."""
        return len(self.scans) == 1 and not self.progressive


def read_structure(data: bytes) -> JpegStructure:
    """Read the structure of a JPEG up to its end marker, or as far as it goes.

    Raises:
        BadFrameError: more scans or segments than cameras send, another coding than theirs, or damaged.
    """
    segments = 0
    scans: list[int] = []
    progressive = False
    orientation: int | None = None
    header = [data[:2]]
    at = 2
    in_scan = False
    end = len(data)
    while (at := _after_marker(data, at, in_scan=in_scan)) > 0:
        code = data[at - 1]
        if code == _END_OF_IMAGE:
            end = at
            break
        segments += 1
        if segments > MAX_SEGMENTS:
            raise BadFrameError(f"JPEG has more than {MAX_SEGMENTS} segments")
        if code in _WITHOUT_BODY:
            continue
        if code < min(_FRAME_HEADERS) or code == _START_OF_IMAGE:
            raise BadFrameError(f"JPEG damaged or cut short: marker ff {code:02x} within it")
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 2:
            raise BadFrameError("JPEG damaged or cut short: a segment without its length")
        body = data[at + 2 : at + length] if not scans else b""
        at += length
        if code == _START_OF_SCAN:
            scans.append(at - length - 2)
            if len(scans) > MAX_SCANS:
                raise BadFrameError(f"JPEG has more than {MAX_SCANS} scans: send baseline JPEG")
            in_scan = True
            continue
        in_scan = False
        if code in _FRAME_HEADERS:
            if code not in _HUFFMAN_CODED:
                raise BadFrameError("JPEG is lossless, hierarchical or arithmetic coded")
            progressive = code == _PROGRESSIVE
        elif code == _EXIF_SEGMENT and orientation is None and body.startswith(_EXIF):
            orientation = _read_orientation(body[len(_EXIF) :])
        if not scans and code in _NEEDED_TO_DECODE:
            header.append(data[at - length - 2 : at])
    left_out = scans[0] - sum(map(len, header)) if scans else 0
    if scans and not left_out and end == len(data):
        return JpegStructure(progressive, tuple(scans), orientation or 1, data)  # nothing is copied
    if scans:
        header.append(data[scans[0] : end])
    starts = tuple(start - left_out for start in scans)
    return JpegStructure(progressive, starts, orientation or 1, b"".join(header))


def _after_marker(data: bytes, at: int, *, in_scan: bool) -> int:
    """Where the body of the first marker from ``at`` on begins; 0 if there is no marker.

    ``FF 00`` is no marker, and any number of ``FF`` may precede one.
    """
    near = at + _NEAR
    found = (_MARKER_AFTER_SCAN if in_scan else _MARKER).search(data, at, near)
    if found:
        return found.end()
    octets = np.frombuffer(data, np.uint8)
    for start in range(near - 1, len(data) - 1, _BLOCK):
        block = octets[start : start + _BLOCK + 1]
        code = block[1:]
        marks = (block[:-1] == 0xFF) & (code != 0x00) & (code != 0xFF)
        if in_scan:
            marks &= (code & 0xF8) != 0xD0
        first = int(marks.argmax())
        if marks[first]:
            return start + first + 2
    return 0


def _read_orientation(tiff: bytes) -> int:
    """The orientation in the first directory of a TIFF header; 1 where it cannot be read."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}L", tiff, 4)
        (tags,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(min(tags, _MAX_TAGS)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHLH", tiff, start + 2 + 12 * number)
            if tag == _ORIENTATION:
                return int(value) if kind == _SHORT else 1
    except struct.error:
        pass  # Damaged EXIF does not invalidate the pixels.
    return 1
