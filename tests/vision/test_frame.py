"""What a frame tells without being decoded."""

from __future__ import annotations

import numpy as np
import simplejpeg

from proctoring.vision.decode import read_jpeg
from proctoring.vision.frame import Frame, Pixels

COMMENT = b"\xff\xfe\x00\x06note"


def frame(data: bytes) -> Frame:
    return Frame(0.0, read_jpeg(data))


def jpeg(pixels: Pixels, quality: int = 85) -> bytes:
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality=quality))


def test_a_frame_is_decoded_when_its_pixels_are_asked_for(astronaut: Pixels) -> None:
    encoded = frame(jpeg(astronaut))
    assert encoded.luma.shape == (120, 160)
    assert encoded.digest
    assert (encoded.width, encoded.height) == (640, 480)
    assert not encoded.decoded
    assert encoded.pixels.shape == (480, 640, 3)
    assert encoded.decoded


def test_what_is_no_part_of_the_picture_does_not_change_its_digest(astronaut: Pixels) -> None:
    data = jpeg(astronaut)
    commented = data[:2] + COMMENT + data[2:]
    assert frame(data).digest == frame(commented).digest == frame(data + b"sent at 12:01").digest


def test_another_picture_has_another_digest(astronaut: Pixels) -> None:
    other = astronaut.copy()
    other[240:248, 320:328] += 9
    assert len({frame(jpeg(one)).digest for one in (astronaut, other)}) == 2
    assert len({Frame(0.0, one).digest for one in (astronaut, other)}) == 2
    assert frame(jpeg(astronaut)).digest != frame(jpeg(astronaut, 84)).digest


def test_the_small_copy_of_decoded_pixels_is_that_of_the_decoder(astronaut: Pixels) -> None:
    data = jpeg(astronaut)
    decoded = frame(data)
    assert decoded.pixels.shape == (480, 640, 3)
    apart = np.abs(decoded.luma.astype(int) - frame(data).luma)
    assert apart.max() <= 4
    assert apart.mean() < 0.1
