"""Small JPEGs that would cost much to decode are refused at once, by what is wrong with them."""

from __future__ import annotations

import contextlib
import io
import struct
import time
from typing import Any

import numpy as np
import pytest
from benchmarks.bombs import after_start, empty_comments, many_scans, segment, wide_exif
from PIL import Image, ImageOps
from tests.processor_time import processor_seconds

from proctoring.errors import BadFrameError
from proctoring.vision import decode
from proctoring.vision.decode import MAX_SECONDS, decode_jpeg
from proctoring.vision.frame import Pixels
from proctoring.vision.jpeg_structure import MAX_SCANS, MAX_SEGMENTS, read_structure


def jpeg(pixels: Pixels, **options: Any) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "JPEG", quality=90, **options)
    return data.getvalue()


def refusing(data: bytes, reason: str, max_seconds: float = MAX_SECONDS) -> float:
    """Processor seconds that refusing this picture takes."""

    def refuse() -> None:
        with pytest.raises(BadFrameError, match=reason):
            decode_jpeg(data, max_seconds=max_seconds)

    return processor_seconds(refuse)


@pytest.mark.parametrize("scans", [MAX_SCANS + 1, 2000])
def test_thousands_of_scans_are_refused_before_decoding(scans: int) -> None:
    data = many_scans(3840, 2160, scans)
    assert len(data) < 60_000
    assert refusing(data, f"more than {MAX_SCANS} scans: send baseline JPEG") < 0.02


def test_scans_between_padding_are_counted_too() -> None:
    data = many_scans(1024, 1024, 200)
    padded = data.replace(b"\xff\xda", b"\xff\xd0\0\0\xff\xff\xff\xda")
    assert refusing(padded, "scans") < 0.02


def test_permitted_scans_over_too_many_pixels_are_refused_before_decoding() -> None:
    data = many_scans(3840, 2160, 10)
    assert refusing(data, "3840 x 2160 pixels in 10 scans: send baseline JPEG") < 0.02
    assert decode_jpeg(many_scans(1920, 1080, 10)).shape == (1080, 1920, 3)


def test_a_decoder_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "SCANNED_PER_SECOND", float("inf"))
    data = many_scans(3840, 2160, MAX_SCANS)
    with pytest.raises(BadFrameError, match=r"longer than 0\.02 s to decode: send baseline"):
        decode_jpeg(data, max_seconds=0.02)
    began = time.thread_time()
    decode_jpeg(data, max_seconds=60)
    whole = time.thread_time() - began
    assert refusing(data, "longer than 1e-06 s", max_seconds=1e-6) < whole / 3  # not at the end


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_progressive_picture_is_decoded_as_pillow_does(astronaut: Pixels, mode: str) -> None:
    picture = Image.fromarray(astronaut).convert(mode)
    data = io.BytesIO()
    picture.save(data, "JPEG", progressive=True, quality=90)
    expected = np.asarray(Image.open(io.BytesIO(data.getvalue())).convert("RGB"))
    assert 5 < len(read_structure(data.getvalue()).scans) <= 10
    np.testing.assert_array_equal(decode_jpeg(data.getvalue()), expected)


def test_metadata_of_a_progressive_picture_are_not_given_to_its_decoder(astronaut: Pixels) -> None:
    data = jpeg(astronaut, progressive=True, comment=b"note")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = after_start(data, segment(0xE1, b"Exif\0\0" + exif.tobytes()[6:]))
    structure = read_structure(turned)
    assert b"Exif" not in structure.without_metadata
    assert b"note" not in structure.without_metadata
    for start in structure.scans:
        assert structure.without_metadata[start : start + 2] == b"\xff\xda"
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(turned)))
    np.testing.assert_array_equal(decode_jpeg(turned), np.asarray(expected))


def test_millions_of_empty_comments_are_refused_at_once(astronaut: Pixels) -> None:
    data = empty_comments(jpeg(astronaut), 1_500_000)
    assert refusing(data, f"more than {MAX_SEGMENTS} segments") < 0.2


def test_exif_whose_tags_refer_to_each_other_costs_nothing(astronaut: Pixels) -> None:
    data = wide_exif(jpeg(astronaut))
    assert decode_jpeg(data).shape == astronaut.shape
    assert processor_seconds(lambda: decode_jpeg(data)) < 0.1


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_the_orientation_is_read_in_either_byte_order(astronaut: Pixels, byte_order: str) -> None:
    tiff = {"<": b"II*\0", ">": b"MM\0*"}[byte_order] + struct.pack(
        f"{byte_order}LHHHLHHL", 8, 1, 0x0112, 3, 1, 6, 0, 0
    )
    data = after_start(jpeg(astronaut[:100]), segment(0xE1, b"Exif\0\0" + tiff))
    assert read_structure(data).orientation == 6
    assert decode_jpeg(data).shape == (astronaut.shape[1], 100, 3)


@pytest.mark.parametrize("code", [0xC3, 0xC9, 0xCA])
def test_codings_that_no_camera_uses_are_refused(astronaut: Pixels, code: int) -> None:
    data = jpeg(astronaut).replace(b"\xff\xc0", bytes([0xFF, code]), 1)
    with pytest.raises(BadFrameError, match="arithmetic coded"):
        read_structure(data)


@pytest.mark.parametrize("filling", [b"\xff\x00", b"\xff\xff", b"\xff\xd0", b"ab"])
def test_six_megabytes_of_anything_are_read_in_milliseconds(
    astronaut: Pixels, filling: bytes
) -> None:
    data = jpeg(astronaut)
    start = data.index(b"\xff\xda") + 14
    after_the_scan, at_once = (data[:end] + filling * (3 << 20) for end in (start, 2))

    def read() -> None:
        read_structure(after_the_scan)
        with contextlib.suppress(BadFrameError):  # more restart markers than segments may be
            read_structure(at_once)

    assert processor_seconds(read) < 0.3


def test_an_ordinary_frame_takes_microseconds(astronaut: Pixels) -> None:
    data = jpeg(astronaut)
    assert read_structure(data).single_pass
    assert processor_seconds(lambda: [read_structure(data) for _ in range(50)]) < 50 * 0.0005
