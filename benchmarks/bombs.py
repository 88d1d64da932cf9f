"""Small files that cost whoever decodes them much. Used by attacks and by tests."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image


def segment(marker: int, body: bytes = b"") -> bytes:
    """One segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def many_scans(width: int, height: int, scans: int) -> bytes:
    """A grey progressive JPEG with so many scans of some 18 bytes, each a pass over the whole picture.

    After the first scans of DC and AC every further one refines, and is a few end-of-band runs.
    ``width`` and ``height`` must make 16,384 blocks of 8 x 8 or more, which the runs cover.
    """
    blocks = -(-width // 8) * -(-height // 8)
    assert blocks >= 16384
    runs = -(-blocks // 32767)
    lengths = [blocks // runs] * (runs - 1)
    lengths.append(blocks - sum(lengths))
    body = _entropy_coded("".join("0" + format(length - 16384, "014b") for length in lengths))
    return (
        b"\xff\xd8"
        + segment(0xDB, b"\x00" + b"\x01" * 64)
        + segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")
        + segment(0xC4, b"\x00\x01" + bytes(15) + b"\x00")  # DC: code 0 is category 0
        + segment(0xC4, b"\x10\x01" + bytes(15) + b"\xe0")  # AC: code 0 is EOB14
        + segment(0xDA, b"\x01\x01\x00\x00\x00\x01")
        + _entropy_coded("0" * blocks)
        + segment(0xDA, b"\x01\x01\x00\x01\x3f\x01")
        + body
        + (segment(0xDA, b"\x01\x01\x00\x01\x3f\x10") + body) * (scans - 2)
        + b"\xff\xd9"
    )


def _entropy_coded(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")


def after_start(jpeg: bytes, inserted: bytes) -> bytes:
    """The same JPEG with bytes inserted behind its first marker."""
    return jpeg[:2] + inserted + jpeg[2:]


def empty_comments(jpeg: bytes, count: int) -> bytes:
    """A JPEG with so many comments of no text before its picture, which Pillow reads one by one, in
    Python."""
    return after_start(jpeg, segment(0xE1, b"Exif\0\0") + segment(0xFE) * count)


def wide_exif(jpeg: bytes, tags: int = 5000) -> bytes:
    """A JPEG whose EXIF has so many tags, each of which refers to all the rest as its value."""
    entries = b"".join(struct.pack("<HHLL", tag, 1, 60_000, 8) for tag in range(1000, 1000 + tags))
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", tags) + entries + bytes(4)
    return after_start(jpeg, segment(0xE1, b"Exif\0\0" + tiff[:65_000]))


def many_chunks(count: int) -> bytes:
    """A PNG with so many empty chunks before its picture."""
    data = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(data, "PNG")
    png = data.getvalue()
    empty = b"\0\0\0\0prVt\x85\x93\xd8\x13"
    return png[:33] + empty * count + png[33:]
